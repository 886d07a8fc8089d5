//! The labels that variants have, for those who look for others.

use super::label::Written;
use crate::nearest::nearest;
use crate::tree::Tree;
use crate::tree::filter::Term;
use crate::tree::label::{Label, Symbol};
use rustc_hash::FxHashSet;

/// The labels that there are.
pub(super) struct Names<'t> {
    all: FxHashSet<Symbol>,
    pub(super) texts: Vec<&'t str>,
    blocks: Vec<&'t str>,
}

impl<'t> Names<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let all: FxHashSet<Symbol> = tree.labels.iter().map(|label| label.name).collect();
        let text = |symbol: &Symbol| tree.strings.text(*symbol);
        let mut texts: Vec<&str> = all.iter().map(text).collect();
        let mut blocks: Vec<&str> = tree.blocks.values().map(text).collect();
        texts.sort_unstable();
        blocks.sort_unstable();
        Self { all, texts, blocks }
    }

    /// Whether a word of a filter has a label that no variant has.
    pub(super) fn is_misspelt(&self, tree: &Tree, word: &[Term]) -> bool {
        let mut tags = tree.filters.sequences(word).flatten();
        tags.any(|tag| {
            let label = tree.filters.named.get(*tag);
            match label.variable {
                None => !self.all.contains(&label.name),
                Some(_) => tree.labels.find(label).is_none(),
            }
        })
    }

    pub(super) fn has(&self, tree: &Tree, label: &Written) -> bool {
        let Some(name) = tree.strings.find(label.name) else { return false };
        let Some(variable) = label.variable else { return self.all.contains(&name) };
        let variable = tree.strings.find(variable);
        variable.is_some_and(|variable| {
            tree.labels.find(Label { variable: Some(variable), name }).is_some()
        })
    }

    /// What may have been meant by a label that no variant has.
    pub(super) fn suggest(&self, tree: &Tree, label: &Written) -> Option<String> {
        let Some(variable) = label.variable else {
            if self.blocks.binary_search(&label.name).is_ok() {
                let name = label.name;
                return Some(format!("`{name}` is a block: its labels are `({name}=…)`"));
            }
            let near = nearest(label.name, self.texts.iter().copied(), 1);
            return near.first().map(|near| format!("did you mean `{near}`?"));
        };
        if self.blocks.binary_search(&variable).is_err() {
            let near = nearest(variable, self.blocks.iter().copied(), 1);
            let mean = near.first().map(|near| format!("; did you mean `{near}`?"));
            return Some(format!("no block is called `{variable}`{}", mean.unwrap_or_default()));
        }
        let variable = tree.strings.find(variable);
        let inside = tree.labels.iter().filter(|known| known.variable == variable);
        let near = nearest(label.name, inside.map(|known| tree.strings.text(known.name)), 1);
        near.first()
            .map(|near| format!("did you mean `({}={near})`?", label.variable.unwrap_or_default()))
    }
}
