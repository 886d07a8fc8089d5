//! All assignments of a node, with the conditions around each.

use super::context::Judged;
use crate::plan::Plan;
use crate::tree::{Item, NodeId};

/// Calls `visit` for each assignment; of each condition is said that it has `holds`.
pub(super) fn each(
    plan: &Plan,
    node: NodeId,
    holds: Option<bool>,
    visit: &mut impl FnMut(u32, &[Judged]),
) {
    let mut conditions = Vec::new();
    each_item(plan, &plan.tree.node(node).items, holds, &mut conditions, visit);
}

fn each_item(
    plan: &Plan,
    items: &[Item],
    holds: Option<bool>,
    conditions: &mut Vec<Judged>,
    visit: &mut impl FnMut(u32, &[Judged]),
) {
    for item in items {
        match *item {
            Item::Assign(operation) => visit(operation, conditions),
            Item::When(condition) => {
                conditions.push((condition, holds));
                let body = &plan.tree.conditions[condition as usize].body;
                each_item(plan, body, holds, conditions, visit);
                conditions.pop();
            }
            Item::Only(_) | Item::No(_) | Item::Join(_) | Item::Suffix(_) => {}
        }
    }
}
