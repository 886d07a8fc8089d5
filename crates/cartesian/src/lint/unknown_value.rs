//! Values that nobody knows: only who uses a configuration can tell which these are.

use super::{Finding, Found};
use crate::nearest::nearest;
use crate::plan::Plan;
use crate::tree::operation::Kind;

/// Plain values of `key` that are none of `known`, which `what` calls by a noun.
pub(super) fn check(plan: &Plan, key: &str, known: &[&str], what: &str) -> Vec<Found> {
    let tree = &plan.tree;
    let Some(key) = tree.strings.find(key) else { return Vec::new() };
    let is_plain = |kind| kind == Kind::Set || kind == Kind::Lazy;
    let assigned = tree.operations.iter().filter(|operation| {
        is_plain(operation.kind) && operation.key == key.0 && operation.template.is_none()
    });
    let mut found = Vec::new();
    for operation in assigned {
        let value = plan.span(operation.value);
        if value.is_empty() || known.contains(&value) {
            continue;
        }
        let near = nearest(value, known.iter().copied(), 1);
        let help = near.first().map(|near| format!("did you mean `{near}`?"));
        let message = format!("there is no {what} `{value}`");
        found.push(Found { finding: Finding::UnknownValue, at: operation.value, message, help });
    }
    found
}
