//! The labels that variants have, for those who look for others.

use super::label::Written;
use crate::nearest::nearest;
use crate::tree::Tree;
use crate::tree::filter::Term;
use crate::tree::label::{Label, Symbol};
use rustc_hash::FxHashSet;

/// The labels that there are, and the names of their blocks.
pub(super) struct Names<'t> {
    tree: &'t Tree,
    labels: FxHashSet<Symbol>,
    blocks: FxHashSet<Symbol>,
}

impl<'t> Names<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let labels = tree.labels.iter().map(|label| label.name).collect();
        let blocks = tree.blocks.values().copied().collect();
        Self { tree, labels, blocks }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether a word of a filter has a label that no variant has.
    pub(super) fn is_misspelt(&self, word: &[Term]) -> bool {
        let mut tags = self.tree.filters.sequences(word).flatten();
        tags.any(|tag| !self.is_there(self.tree.filters.named.get(*tag)))
    }

    pub(super) fn has(&self, label: &Written) -> bool {
        let find = |text| self.tree.strings.find(text);
        let Some(name) = find(label.name) else { return false };
        match label.variable.map(find) {
            None => self.is_there(Label { variable: None, name }),
            Some(None) => false,
            Some(variable) => self.is_there(Label { variable, name }),
        }
    }

    /// What may have been meant by a label that no variant has.
    pub(super) fn suggest(&self, label: &Written) -> Option<String> {
        let name = label.name;
        let Some(block) = label.variable else {
            if self.is_block(name) {
                return Some(format!("`{name}` is a block: its labels are `({name}=…)`"));
            }
            let near = nearest(name, self.texts(&self.labels), 1);
            return near.first().map(|near| format!("did you mean `{near}`?"));
        };
        if !self.is_block(block) {
            let near = nearest(block, self.texts(&self.blocks), 1);
            let mean = near.first().map(|near| format!("; did you mean `{near}`?"));
            return Some(format!("no block is called `{block}`{}", mean.unwrap_or_default()));
        }
        let variable = self.tree.strings.find(block);
        let inside = self.tree.labels.iter().filter(|known| known.variable == variable);
        let near = nearest(name, inside.map(|known| self.tree.strings.text(known.name)), 1);
        near.first().map(|near| format!("did you mean `({block}={near})`?"))
    }

    /// A label without a block may be of any.
    fn is_there(&self, label: Label) -> bool {
        match label.variable {
            None => self.labels.contains(&label.name),
            Some(_) => self.tree.labels.find(label).is_some(),
        }
    }

    fn is_block(&self, name: &str) -> bool {
        self.tree.strings.find(name).is_some_and(|name| self.blocks.contains(&name))
    }

    fn texts<'s>(&'s self, symbols: &'s FxHashSet<Symbol>) -> impl Iterator<Item = &'t str> + 's {
        symbols.iter().map(|symbol| self.tree.strings.text(*symbol))
    }
}
