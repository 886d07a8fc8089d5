//! The text read once, for up to 64 questions at a time.

use crate::plan::Plan;
use crate::tree::{Item, NodeId};

/// How many questions fit: one bit each.
pub(super) const TOGETHER: usize = 64;

/// Calls `assign` with every assignment, those below a node before its own: the node it is in, its
/// number, and the bits that were set before it in this node or below it. It may set more.
pub(super) fn read(plan: &Plan, mut assign: impl FnMut(NodeId, u32, &mut u64)) {
    let nodes = &plan.tree.nodes;
    // For each node the bits of what is in or below it.
    let mut below: Vec<u64> = Vec::with_capacity(nodes.len());
    for (node, id) in nodes.iter().zip((0..).map(NodeId)) {
        let children = node.children.iter().map(|child| below[child.0 as usize]);
        let mut met = children.fold(0, |all, more| all | more);
        items(plan, &node.items, &mut |index| assign(id, index, &mut met));
        below.push(met);
    }
}

/// Calls `assign` with the assignments of a node, those under conditions as well.
pub(super) fn items(plan: &Plan, items: &[Item], assign: &mut impl FnMut(u32)) {
    for &item in items {
        match item {
            Item::When(condition) => {
                self::items(plan, &plan.tree.conditions[condition as usize].body, assign);
            }
            Item::Assign(index) => assign(index),
            Item::Only(_) | Item::No(_) | Item::Join(_) | Item::Suffix(_) => {}
        }
    }
}
