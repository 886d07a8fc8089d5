//! The blocks and variants of a tree, as their author sees them.

use crate::plan::{NO_TAG, Plan};
use crate::tree::label::number;
use crate::tree::spans::Entry;
use crate::tree::{Head, Item, NodeId};
use rustc_hash::FxHashSet;

pub(super) struct Outline {
    /// For each entry the node of the block that lists it, and its number in there.
    blocks: Vec<NodeId>,
    positions: Vec<usize>,
    /// For each node the block that comes first at or below it.
    next: Vec<Option<NodeId>>,
    /// For each entry the nodes that hold its own statements; the last list is of those that
    /// stand outside of all variants.
    nodes: Vec<Vec<NodeId>>,
    /// For each node the statements that can drop names.
    guards: Vec<Box<[Item]>>,
    /// For each entry whether every name goes through it.
    unavoidable: Vec<bool>,
    /// For each tag the entries whose own labels have it.
    owners: Vec<Vec<u32>>,
}

impl Outline {
    pub(super) fn new(plan: &Plan) -> Self {
        let tree = &plan.tree;
        let entries = &tree.spans.entries;
        let mut blocks = vec![plan.root; entries.len()];
        let mut positions = vec![0; entries.len()];
        let mut next: Vec<Option<NodeId>> = Vec::with_capacity(tree.nodes.len());
        let mut nodes = vec![Vec::new(); entries.len() + 1];
        let mut owners = vec![Vec::new(); plan.tag_count];
        for (index, node) in tree.nodes.iter().enumerate() {
            let id = NodeId(number(index));
            let place = tree.spans.nodes[index].map_or(entries.len(), |entry| entry as usize);
            nodes[place].push(id);
            let mut is_block = false;
            for (position, &child) in node.children.iter().enumerate() {
                if let Some(entry) = entry_of_top(plan, child) {
                    blocks[entry as usize] = id;
                    positions[entry as usize] = position;
                    is_block = true;
                }
            }
            let below = node.children.first().and_then(|child| next[child.0 as usize]);
            next.push(if is_block { Some(id) } else { below });
        }
        let mut unavoidable = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let alone = tree.node(blocks[index]).children.len() == 1;
            unavoidable.push(alone && entry.outer.is_none_or(|outer| unavoidable[outer as usize]));
            for &label in &tree.node(entry.node).head.labels {
                for &tag in plan.tags[label as usize].iter().filter(|&&tag| tag != NO_TAG) {
                    owners[tag as usize].push(number(index));
                }
            }
        }
        let guards = tree.nodes.iter().map(|node| guards(plan, &node.items)).collect();
        Self { blocks, positions, next, nodes, guards, unavoidable, owners }
    }

    pub(super) fn len(&self) -> u32 {
        number(self.blocks.len())
    }

    pub(super) fn block(&self, entry: u32) -> NodeId {
        self.blocks[entry as usize]
    }

    pub(super) fn position(&self, entry: u32) -> usize {
        self.positions[entry as usize]
    }

    /// The block that gives the label after those of an entry.
    pub(super) fn next_block(&self, plan: &Plan, entry: u32) -> Option<NodeId> {
        self.next[plan.tree.spans.entries[entry as usize].node.0 as usize]
    }

    /// The nodes of a scope; `None` is outside of all variants.
    pub(super) fn nodes(&self, scope: Option<u32>) -> &[NodeId] {
        scope.map_or(&self.nodes[self.blocks.len()], |entry| &self.nodes[entry as usize])
    }

    pub(super) fn guards(&self, node: NodeId) -> &[Item] {
        &self.guards[node.0 as usize]
    }

    pub(super) fn is_unavoidable(&self, scope: Option<u32>) -> bool {
        scope.is_none_or(|entry| self.unavoidable[entry as usize])
    }

    /// Whether some name goes through both, if there were no filters.
    pub(super) fn go_together(&self, plan: &Plan, scope: Option<u32>, other: u32) -> bool {
        // Two entries exclude one another where they part inside of one block.
        let mut one: Vec<u32> = outwards(plan, scope).collect();
        let mut two: Vec<u32> = outwards(plan, Some(other)).collect();
        while let (Some(a), Some(b)) = (one.pop(), two.pop()) {
            if a != b {
                return self.block(a) != self.block(b);
            }
        }
        true
    }

    /// Whether a label of the second tag directly follows one of the first in any name, if there
    /// were no filters.
    pub(super) fn may_follow(&self, plan: &Plan, first: u32, second: u32) -> bool {
        let has = |label: u32, tag: u32| plan.tags[label as usize].contains(&tag);
        let ends = |owner: &u32| head(plan, *owner).labels.last().is_some_and(|&l| has(l, first));
        let firsts = self.owners(first).iter().filter(|owner| ends(owner));
        let after: FxHashSet<NodeId> = firsts.filter_map(|&o| self.next_block(plan, o)).collect();
        self.owners(second).iter().any(|&owner| {
            let labels = &head(plan, owner).labels;
            (has(labels[0], second) && after.contains(&self.block(owner)))
                || labels.windows(2).any(|two| has(two[0], first) && has(two[1], second))
        })
    }

    pub(super) fn owners(&self, tag: u32) -> &[u32] {
        &self.owners[tag as usize]
    }
}

fn guards(plan: &Plan, items: &[Item]) -> Box<[Item]> {
    let is_guard = |item: &&Item| match item {
        Item::Only(_) | Item::No(_) => true,
        Item::When(condition) => plan.tree.conditions[*condition as usize].decides,
        Item::Assign(_) | Item::Join(_) | Item::Suffix(_) => false,
    };
    items.iter().filter(is_guard).copied().collect()
}

/// The entry whose labels a node adds to names.
pub(super) fn entry_of_top(plan: &Plan, node: NodeId) -> Option<u32> {
    let entry = plan.tree.spans.nodes[node.0 as usize]?;
    (plan.tree.spans.entries[entry as usize].node == node).then_some(entry)
}

/// A scope and what it stands in, from the inside.
pub(super) fn outwards(plan: &Plan, scope: Option<u32>) -> impl Iterator<Item = u32> {
    std::iter::successors(scope, |&entry| plan.tree.spans.entries[entry as usize].outer)
}

pub(super) fn head(plan: &Plan, entry: u32) -> &Head {
    let Entry { node, .. } = plan.tree.spans.entries[entry as usize];
    &plan.tree.node(node).head
}

/// The labels of an entry alone, as names show them.
pub(super) fn name(plan: &Plan, entry: u32) -> String {
    let mut name = String::new();
    for &label in &head(plan, entry).labels {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(plan.names.of(label).long);
    }
    name
}
