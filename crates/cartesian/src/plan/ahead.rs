//! Which labels may still come below a node.

use crate::plan::{NO_TAG, Plan};
use crate::tree::label::number;
use crate::tree::{NodeId, Tree};

/// For each node the set of the tags below it, as bits.
pub(crate) struct Ahead {
    words: Vec<u64>,
    /// Words of a set.
    width: usize,
    /// For each node the number of its set: all variants of a block have the same.
    sets: Vec<u32>,
    /// The first node that has one.
    from: u32,
}

impl Ahead {
    pub(crate) fn new(tree: &Tree, tags: &[[u32; 2]], tag_count: usize) -> Self {
        let width = tag_count.div_ceil(64);
        let mut ahead = Self { words: Vec::new(), width, sets: Vec::new(), from: 0 };
        // Children have smaller numbers than their parents: one pass is enough.
        for node in &tree.nodes {
            if let [child] = node.children[..]
                && tree.node(child).head.labels.is_empty()
            {
                ahead.sets.push(ahead.sets[child.0 as usize]);
                continue;
            }
            let mut own = vec![0; width];
            for &child in &node.children {
                add(tree, tags, child, ahead.of(child).unwrap_or_default(), &mut own);
            }
            ahead.push(&own);
        }
        ahead
    }

    /// Words of all sets together.
    pub(crate) fn size(&self) -> usize {
        self.words.len()
    }

    /// The set of the next node.
    fn push(&mut self, set: &[u64]) {
        self.sets.push(number(self.words.len().checked_div(self.width).unwrap_or(0)));
        self.words.extend_from_slice(set);
    }

    pub(crate) fn of(&self, node: NodeId) -> Option<&[u64]> {
        let start = self.sets[node.0.checked_sub(self.from)? as usize] as usize * self.width;
        Some(&self.words[start..start + self.width])
    }
}

/// A plan of which some nodes, each the child of the one before, have one child only.
pub(crate) struct Narrow {
    /// From the top down.
    path: Vec<NodeId>,
    /// Of the lowest node that has one child only, and those above it.
    ahead: Ahead,
}

impl Narrow {
    /// `path` has at least two nodes; the last one has all of its children.
    pub(crate) fn new(plan: &Plan, path: Vec<NodeId>) -> Self {
        let from = path.iter().rev().nth(1).map_or(0, |node| node.0);
        let width = plan.ahead.width;
        let ahead = Ahead { words: Vec::new(), width, sets: Vec::new(), from };
        let mut narrow = Self { path, ahead };
        for index in from..number(plan.tree.nodes.len()) {
            let mut own = vec![0; plan.ahead.width];
            let only = narrow.child(NodeId(index));
            let children = match &only {
                Some(only) => std::slice::from_ref(only),
                None => &plan.tree.node(NodeId(index)).children,
            };
            for &child in children {
                add(&plan.tree, &plan.tags, child, narrow.ahead(plan, child), &mut own);
            }
            narrow.ahead.push(&own);
        }
        narrow
    }

    /// The only child of a node that has only one.
    pub(crate) fn child(&self, node: NodeId) -> Option<NodeId> {
        let at = self.path.iter().position(|&on_path| on_path == node)?;
        self.path.get(at + 1).copied()
    }

    pub(crate) fn ahead<'a>(&'a self, plan: &'a Plan, node: NodeId) -> &'a [u64] {
        self.ahead.of(node).unwrap_or_else(|| plan.ahead(node))
    }
}

/// Adds a child and what is below it.
fn add(tree: &Tree, tags: &[[u32; 2]], child: NodeId, below: &[u64], set: &mut [u64]) {
    for (word, more) in set.iter_mut().zip(below) {
        *word |= more;
    }
    for &label in &tree.node(child).head.labels {
        for tag in tags[label as usize].into_iter().filter(|&tag| tag != NO_TAG) {
            set[tag as usize / 64] |= 1 << (tag % 64);
        }
    }
}
