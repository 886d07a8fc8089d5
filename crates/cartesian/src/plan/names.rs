//! The labels as names show them.

use crate::tree::Tree;
use crate::tree::label::{Label, number};

/// All labels, written out once.
pub(crate) struct Names {
    text: String,
    /// For each label where it begins, where its short form begins, and where that ends.
    bounds: Vec<[u32; 3]>,
}

/// A label with the name of its block, and without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) long: &'a str,
    pub(crate) short: &'a str,
}

impl Names {
    pub(crate) fn new(tree: &Tree) -> Self {
        let mut names = Self { text: String::new(), bounds: Vec::new() };
        for Label { variable, name } in tree.labels.iter() {
            let start = number(names.text.len());
            if let Some(variable) = variable {
                names.text.push('(');
                names.text.push_str(tree.strings.text(variable));
                names.text.push('=');
            }
            let short = number(names.text.len());
            names.text.push_str(tree.strings.text(name));
            let end = number(names.text.len());
            if variable.is_some() {
                names.text.push(')');
            }
            names.bounds.push([start, short, end]);
        }
        names
    }

    pub(crate) fn of(&self, label: u32) -> Written<'_> {
        let [start, short, end] = self.bounds[label as usize].map(|bound| bound as usize);
        let closed = end + usize::from(short > start);
        Written { long: &self.text[start..closed], short: &self.text[short..end] }
    }
}
