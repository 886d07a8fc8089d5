//! What a configuration holds, told without going through its variants.

use crate::lint;
use crate::tree::label::{Label, Symbol, number};
use crate::tree::operation::Kind;
use crate::tree::{Item, Node, NodeId, Tree};
use rustc_hash::FxHashSet;
use std::ops::RangeInclusive;

/// What a configuration holds before a variant is looked at: its labels, its blocks, what it
/// assigns. Nothing here depends on filters, and nothing takes longer than reading the text did.
#[derive(Clone, Copy)]
pub struct Census<'a> {
    tree: &'a Tree,
    root: NodeId,
}

impl<'a> Census<'a> {
    pub(crate) fn new(tree: &'a Tree, root: NodeId) -> Self {
        Self { tree, root }
    }

    /// Every label that any variant has in its name, each once, without the name of its block.
    pub fn labels(self) -> impl Iterator<Item = &'a str> {
        let mut seen = vec![false; self.tree.strings.len()];
        self.tree.labels.iter().filter_map(move |label| {
            let first = !std::mem::replace(&mut seen[label.name.index()], true);
            first.then(|| self.text(label.name))
        })
    }

    /// Every label of a block that has a name, each once: the block and the label, which names
    /// show as `(block=label)`.
    pub fn named_labels(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let labels = self.tree.labels.iter();
        labels.filter_map(move |label| Some((self.text(label.variable?), self.text(label.name))))
    }

    /// The names of the blocks that have one, `variants NAME:`, each once.
    pub fn blocks(self) -> impl Iterator<Item = &'a str> {
        let mut seen = FxHashSet::default();
        let names = self.tree.labels.iter().filter_map(|label| label.variable);
        names.filter(move |name| seen.insert(*name)).map(move |name| self.text(name))
    }

    /// Every value that a plain `key = value` statement gives this key anywhere, each once, in
    /// the order of the text, whether or not a variant gets there.
    pub fn assigned(self, key: &str) -> Vec<&'a str> {
        let Some(key) = self.tree.strings.find(key) else { return Vec::new() };
        let mut seen = FxHashSet::default();
        let operations = self.tree.operations.iter();
        operations
            .filter(|operation| operation.kind == Kind::Set && operation.key == key.0)
            .map(|operation| self.tree.sources.text(operation.value))
            .filter(|value| seen.insert(*value))
            .collect()
    }

    /// Every key that a statement gives a value, each once, whether or not a variant gets there.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        let mut seen = FxHashSet::default();
        let operations = self.tree.operations.iter();
        operations
            .filter(|operation| !operation.kind.is_pattern() && operation.kind != Kind::Delete)
            .filter(move |operation| seen.insert(operation.key))
            .map(move |operation| self.text(Symbol(operation.key)))
    }

    /// Every key that a statement outside of the sources of this name gives a value, or reads as
    /// `${key}`, maybe more than once.
    pub fn keys_outside(self, source: &str) -> impl Iterator<Item = &'a str> {
        let is_inside = lint::is_in(&self.tree.sources, source);
        let operations = self.tree.operations.iter().filter(move |one| !is_inside(one.at));
        operations.flat_map(move |operation| {
            let is_set = !operation.kind.is_pattern() && operation.kind != Kind::Delete;
            let template =
                operation.template.map(|template| &self.tree.templates[template as usize]);
            let read = template.into_iter().flat_map(|template| &template.holes);
            let keys = is_set.then_some(Symbol(operation.key)).into_iter();
            keys.chain(read.map(|(_, key)| *key)).map(move |key| self.text(key))
        })
    }

    /// Whether a statement `suffix` makes keys that stand nowhere.
    pub fn has_suffixes(self) -> bool {
        !self.tree.suffixes.is_empty()
    }

    /// The labels that a name may have which has all of these, each once, the block with it where
    /// that has a name. `with` are labels as filters write them: `f`, `(os=f)`. Filters are not
    /// looked at; what is not told is certain to be in no such name.
    pub fn labels_with(self, with: &[&str]) -> Vec<(Option<&'a str>, &'a str)> {
        let nodes = &self.tree.nodes;
        let mut may = vec![true; nodes.len()];
        for label in with {
            let is_there = self.together_with(label);
            may.iter_mut().zip(is_there).for_each(|(may, is_there)| *may &= is_there);
        }
        let mut seen = FxHashSet::default();
        let labels = nodes.iter().zip(may).filter(|(_, may)| *may);
        let labels = labels.flat_map(|(node, _)| &node.head.labels);
        labels
            .filter(|label| seen.insert(**label))
            .map(|&label| {
                let Label { variable, name } = self.tree.labels.get(label);
                (variable.map(|variable| self.text(variable)), self.text(name))
            })
            .collect()
    }

    /// For each node whether a path goes through it that has a label.
    fn together_with(self, label: &str) -> Vec<bool> {
        let nodes = &self.tree.nodes;
        let has = |node: &Node| {
            let mut labels = node.head.labels.iter().map(|&label| self.tree.labels.get(label));
            labels.any(|Label { variable, name }| match unparenthesized(label) {
                Some((block, text)) => {
                    let variable = variable.map(|variable| self.text(variable));
                    self.text(name) == text && block.is_none_or(|block| variable == Some(block))
                }
                None => self.text(name) == label,
            })
        };
        // Children have smaller numbers than their parents.
        let mut leads_there: Vec<bool> = Vec::with_capacity(nodes.len());
        let own: Vec<bool> = nodes.iter().map(has).collect();
        for (node, own) in nodes.iter().zip(&own) {
            leads_there.push(*own || node.children.iter().any(|c| leads_there[c.0 as usize]));
        }
        let mut comes_from_there = own;
        for (at, node) in nodes.iter().enumerate().rev() {
            if comes_from_there[at] {
                node.children.iter().for_each(|c| comes_from_there[c.0 as usize] = true);
            }
        }
        leads_there.iter().zip(comes_from_there).map(|(a, b)| *a || b).collect()
    }

    /// Whether anything is joined: the name of a joined variant is made of several, and no filter
    /// matches all of it.
    pub fn has_joins(self) -> bool {
        self.tree
            .nodes
            .iter()
            .any(|node| node.items.iter().any(|item| matches!(item, Item::Join(_))))
    }

    /// Whether a variant may have exactly this name, short or full. Filters are not looked at:
    /// a variant that they drop counts. False is certain, however many variants there are.
    pub fn may_be_called(self, name: &str) -> bool {
        let short = self.symbols(name).is_some_and(|symbols| {
            let is = |label: Label, at: usize| symbols.get(at) == Some(&label.name);
            self.leads(symbols.len()..=symbols.len(), true, is)
        });
        short
            || self.full(name).is_some_and(|labels| {
                let is = |label, at| labels.get(at) == Some(&label);
                self.leads(labels.len()..=labels.len(), false, is)
            })
    }

    /// Whether the short name of a variant may begin with this text; its last label may be cut
    /// off anywhere. Filters are not looked at here, either.
    pub fn may_begin_with(self, text: &str) -> bool {
        let (whole, cut) = match text.rsplit_once('.') {
            Some((whole, cut)) => (self.symbols(whole).filter(|whole| !whole.is_empty()), cut),
            None => (Some(Vec::new()), text),
        };
        whole.is_some_and(|whole| {
            let is = |label: Label, at: usize| match whole.get(at) {
                Some(symbol) => *symbol == label.name,
                None => at > whole.len() || self.text(label.name).starts_with(cut),
            };
            let least = whole.len() + usize::from(!text.is_empty());
            self.leads(least..=usize::MAX, true, is)
        })
    }

    /// Whether some path is called by that many labels, each of them as `is` wants it to be.
    ///
    /// Where a node is reached with as many labels as before, what follows is the same: each node
    /// is looked at once for each number of labels, not once for each path.
    fn leads(
        self,
        length: RangeInclusive<usize>,
        short: bool,
        is: impl Fn(Label, usize) -> bool,
    ) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![(self.root, 0)];
        while let Some((id, mut done)) = open.pop() {
            let node = self.tree.node(id);
            if !(short && node.head.hidden) {
                let labels = node.head.labels.iter().map(|&label| self.tree.labels.get(label));
                if !labels.enumerate().all(|(at, label)| is(label, done + at)) {
                    continue;
                }
                done += node.head.labels.len();
            }
            let joins = || node.items.iter().any(|item| matches!(item, crate::tree::Item::Join(_)));
            if (node.children.is_empty() && length.contains(&done)) || joins() {
                return true;
            }
            // Beyond the least number nothing but the end matters any more.
            let done = if *length.end() == usize::MAX { done.min(*length.start()) } else { done };
            let below = node.children.iter().map(|child| (*child, done));
            open.extend(below.filter(|(child, done)| seen.insert((child.0, number(*done)))));
        }
        false
    }

    /// The labels of a short name; `None` where one of them is nowhere.
    fn symbols(self, name: &str) -> Option<Vec<Symbol>> {
        parts(name).map(|label| self.tree.strings.find(label)).collect()
    }

    /// The labels of a full name; `None` where one of them is nowhere.
    fn full(self, name: &str) -> Option<Vec<Label>> {
        let label = |text: &str| {
            let (variable, name) = match unparenthesized(text) {
                Some((block, name)) => (Some(self.tree.strings.find(block?)?), name),
                None => (None, text),
            };
            Some(Label { variable, name: self.tree.strings.find(name)? })
        };
        parts(name).map(label).collect()
    }

    fn text(self, symbol: Symbol) -> &'a str {
        self.tree.strings.text(symbol)
    }
}

/// The block and the label of `(os=f)`; no block in `(f)`.
fn unparenthesized(label: &str) -> Option<(Option<&str>, &str)> {
    let inside = label.strip_prefix('(')?.strip_suffix(')')?;
    Some(match inside.split_once('=') {
        Some((block, name)) => (Some(block.trim()), name.trim()),
        None => (None, inside.trim()),
    })
}

/// The labels of a name as they are written; a name may have none.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').filter(|_| !name.is_empty())
}
