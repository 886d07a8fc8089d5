//! `${key}` where the key cannot have a value yet.

use super::reading::{self, TOGETHER};
use super::{Finding, Lint};
use crate::nearest::nearest;
use crate::parser::block::RESERVED;
use crate::plan::Plan;
use crate::tree::NodeId;
use crate::tree::label::{Symbol, number};
use crate::tree::operation::{Kind, Operation};
use crate::tree::source::Span;
use std::collections::BTreeMap;

/// How many times a node may be looked at, for all keys together.
const LOOKS: usize = 20_000_000;
/// A shorter key that nobody sets is rather the variable of a shell.
const SHORTEST: usize = 4;

pub(super) fn check(lint: &mut Lint) {
    let plan = lint.plan;
    let tree = &plan.tree;
    // A suffix makes keys that stand nowhere.
    if !tree.suffixes.is_empty() {
        return;
    }
    let holes = tree.templates.iter().flat_map(|template| &template.holes);
    let mut keys: Vec<Symbol> = holes.map(|(_, key)| *key).collect();
    keys.retain(|key| !RESERVED.contains(&tree.strings.text(*key)));
    keys.sort_unstable();
    keys.dedup();
    let mut affordable = LOOKS / tree.nodes.len().max(1);
    let set = assignments(plan);
    for keys in keys.chunks(TOGETHER) {
        if affordable == 0 {
            return;
        }
        affordable -= 1;
        for unset in unset(plan, keys) {
            let help = match set.get(&unset.key) {
                Some(_) if affordable == 0 => return,
                Some(places) => {
                    affordable -= 1;
                    set_later(plan, &unset, places)
                }
                None => slip(plan, unset.key, &set),
            };
            // Else it may be for a shell, or be set by whoever includes the file.
            if let Some(help) = help {
                tell(lint, &unset, help);
            }
        }
    }
}

/// A statement that reads a key that nothing before it sets.
struct Unset {
    node: NodeId,
    operation: u32,
    key: Symbol,
}

/// The statements that set a key: the node that each is in, and where it stands.
type Assignments = BTreeMap<Symbol, Vec<(NodeId, u32)>>;

fn assignments(plan: &Plan) -> Assignments {
    let mut found = Assignments::new();
    for (node, id) in plan.tree.nodes.iter().zip((0..).map(NodeId)) {
        reading::items(plan, &node.items, &mut |index| {
            let operation = &plan.tree.operations[index as usize];
            if sets(operation) {
                found.entry(Symbol(operation.key)).or_default().push((id, operation.at));
            }
        });
    }
    found
}

fn sets(operation: &Operation) -> bool {
    !operation.kind.is_pattern() && operation.kind != Kind::Delete
}

/// The places at which some keys are read before anything can have set them.
fn unset(plan: &Plan, keys: &[Symbol]) -> Vec<Unset> {
    let tree = &plan.tree;
    let bits: BTreeMap<Symbol, u64> =
        keys.iter().enumerate().map(|(bit, key)| (*key, 1 << bit)).collect();
    let mut unset = Vec::new();
    reading::read(plan, |node, index, met| {
        let operation = &tree.operations[index as usize];
        if let Some(template) = operation.template {
            let holes = &tree.templates[template as usize].holes;
            let mut keys: Vec<Symbol> = holes.iter().map(|(_, key)| *key).collect();
            keys.retain(|key| bits.get(key).is_some_and(|bit| *met & bit == 0));
            keys.dedup();
            unset.extend(keys.into_iter().map(|key| Unset { node, operation: index, key }));
        }
        if sets(operation) {
            *met |= bits.get(&Symbol(operation.key)).copied().unwrap_or(0);
        }
    });
    unset
}

/// Where a key that is read is set for the same variants, but too late.
fn set_later(plan: &Plan, unset: &Unset, places: &[(NodeId, u32)]) -> Option<String> {
    let tree = &plan.tree;
    let first = unset.node.0 as usize;
    // For each node from there on whether a variant goes through both.
    let mut after = vec![true];
    for node in &tree.nodes[first + 1..] {
        let mut children = node.children.iter();
        after.push(
            children.any(|child| {
                (child.0 as usize).checked_sub(first).is_some_and(|child| after[child])
            }),
        );
    }
    let is_after =
        |node: NodeId| (node.0 as usize).checked_sub(first).is_some_and(|node| after[node]);
    let later = places.iter().filter(|(node, _)| is_after(*node));
    let place = tree.sources.place(later.map(|(_, at)| *at).min()?);
    let name = tree.strings.text(unset.key);
    Some(format!("`{name}` is set in {place}, which comes after it"))
}

/// The key that one which nobody sets is a slip of.
fn slip(plan: &Plan, key: Symbol, set: &Assignments) -> Option<String> {
    let tree = &plan.tree;
    let key = tree.strings.text(key);
    // `${HOME}` is no key.
    if key.len() < SHORTEST || !key.contains(char::is_lowercase) {
        return None;
    }
    let near = nearest(key, set.keys().map(|key| tree.strings.text(*key)), 5);
    let near = near.into_iter().find(|near| !near.contains(key) || near.len() == key.len() + 1)?;
    Some(format!("did you mean `${{{near}}}`?"))
}

fn tell(lint: &mut Lint, unset: &Unset, help: String) {
    let tree = &lint.plan.tree;
    let Some(template) = tree.operations[unset.operation as usize].template else { return };
    let mut holes = tree.templates[template as usize].holes.iter();
    let Some((before, _)) = holes.find(|(_, key)| *key == unset.key) else { return };
    let name = tree.strings.text(unset.key);
    let at = Span { start: before.end(), len: number("${}".len() + name.len()) };
    let message = format!("`${{{name}}}` has no value here: it stays as it is written");
    lint.report(Finding::UnsetKey, at, message, help);
}
