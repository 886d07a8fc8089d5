//! What all variants begin with, applied once for all of them.
//!
//! The statements at the beginning of a text belong to every variant, and are often the most of
//! what a variant has. What comes out of them depends on nothing but the conditions among them.

use crate::tree::label::Symbol;
use crate::tree::{Item, NodeId, Tree};

/// The node that stands at the beginning of the text.
pub(crate) struct Beginning {
    pub(crate) node: NodeId,
    /// All conditions in there; which of them hold is a 64-bit set.
    pub(crate) conditions: Vec<u32>,
}

impl Beginning {
    /// `None` if what comes out depends on more than conditions.
    pub(crate) fn new(tree: &Tree) -> Option<Self> {
        let nodes = tree.nodes.iter().enumerate();
        let (index, node) = nodes
            .filter(|(_, node)| node.children.is_empty())
            .max_by_key(|(_, node)| node.items.len())?;
        let mut beginning =
            Self { node: NodeId(crate::tree::label::number(index)), conditions: Vec::new() };
        let is_fit = beginning.add(tree, &node.items) && beginning.conditions.len() <= 64;
        is_fit.then_some(beginning)
    }

    fn add(&mut self, tree: &Tree, items: &[Item]) -> bool {
        let title = ["name", "shortname", "dep"].map(|key| tree.strings.find(key));
        let is_of_title = |key: Symbol| title.contains(&Some(key));
        items.iter().all(|item| match *item {
            Item::Assign(operation) => {
                let template = tree.operations[operation as usize].template;
                let holes = template.map(|template| &tree.templates[template as usize].holes);
                holes.is_none_or(|holes| !holes.iter().any(|&(_, key)| is_of_title(key)))
            }
            Item::When(condition) => {
                self.conditions.push(condition);
                self.add(tree, &tree.conditions[condition as usize].body)
            }
            Item::Suffix(_) => false,
            Item::Only(_) | Item::No(_) | Item::Join(_) => true,
        })
    }
}
