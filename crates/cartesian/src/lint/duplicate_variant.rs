//! Variants of one block that give the same names.

use super::outline::{head, name};
use super::search::Answer;
use super::statement::Role;
use super::{Finding, Lint};
use crate::tree::{Item, NodeId};
use rustc_hash::FxHashMap;

pub(super) fn check(lint: &mut Lint, dead: &[bool]) {
    let plan = lint.plan;
    // A `join` picks what of two it likes; nobody knows without asking it.
    if lint.statements.all.iter().any(|statement| statement.role == Role::Join) {
        return;
    }
    let mut first: FxHashMap<(NodeId, &[u32]), u32> = FxHashMap::default();
    for entry in (0..lint.outline.len()).filter(|entry| !dead[*entry as usize]) {
        let labels = head(plan, entry).labels.as_slice();
        let known = *first.entry((lint.outline.block(entry), labels)).or_insert(entry);
        if known == entry || !give_one_name(lint, known, entry) {
            continue;
        }
        let name = name(plan, entry);
        let place = plan.tree.sources.place(head(plan, known).at.start);
        let message = format!("the block has a variant `{name}` already");
        let help = format!("it is in {place}: rename one, or write both as one");
        lint.report(Finding::DuplicateVariant, head(plan, entry).at, message, help);
    }
}

/// Whether filters leave both of a name that the two have in common.
fn give_one_name(lint: &mut Lint, one: u32, other: u32) -> bool {
    let outline = lint.outline;
    let [_] = outline.nodes(Some(one)) else { return false };
    // With blocks inside, they may share out what they have.
    let &[node] = outline.nodes(Some(other)) else { return false };
    let demands: Vec<Item> = outline.guards(node).to_vec();
    lint.ask(Some(one), &demands) == Answer::Yes
}
