//! `?=` where nothing that it matches can have a value yet.

use super::reading::{self, TOGETHER};
use super::{Finding, Lint};
use crate::nearest::nearest;
use crate::plan::Plan;
use crate::tree::label::{Symbol, number};
use crate::tree::operation::{Kind, Pattern};
use crate::tree::source::Span;
use std::collections::BTreeMap;

/// How many keys may be held against expressions: each against each.
const MATCHES: usize = 5_000_000;

pub(super) fn check(lint: &mut Lint) {
    let plan = lint.plan;
    let tree = &plan.tree;
    // A suffix makes keys that stand nowhere.
    if !tree.suffixes.is_empty() {
        return;
    }
    let keys = assigned(plan);
    let patterns: Vec<u32> = (0..number(tree.operations.len()))
        .filter(|index| tree.operations[*index as usize].kind.is_pattern())
        .collect();
    let affordable = MATCHES / keys.len().max(1) / TOGETHER;
    for some in patterns.chunks(TOGETHER).take(affordable) {
        for index in idle(plan, &keys, some) {
            tell(lint, &keys, index);
        }
    }
}

/// The keys that any statement sets, each with the first that does.
fn assigned(plan: &Plan) -> BTreeMap<Symbol, u32> {
    let mut keys = BTreeMap::new();
    for (index, operation) in plan.tree.operations.iter().enumerate() {
        if !operation.kind.is_pattern() && operation.kind != Kind::Delete {
            keys.entry(Symbol(operation.key)).or_insert(number(index));
        }
    }
    keys
}

/// Those of some expressions that match nothing which is set before them.
fn idle(plan: &Plan, keys: &BTreeMap<Symbol, u32>, patterns: &[u32]) -> Vec<u32> {
    let tree = &plan.tree;
    // For each key the expressions that match it.
    let mut matching: Vec<u64> = vec![0; tree.strings.len()];
    for &key in keys.keys() {
        for (bit, &index) in patterns.iter().enumerate() {
            if pattern(plan, index).matches_text(tree.strings.text(key), &tree.strings) {
                matching[key.index()] |= 1 << bit;
            }
        }
    }
    let mut idle = Vec::new();
    reading::read(plan, |_, index, met| {
        let operation = &tree.operations[index as usize];
        if operation.kind.is_pattern() {
            let bit = patterns.binary_search(&index);
            if bit.is_ok_and(|bit| *met >> bit & 1 == 0) {
                idle.push(index);
            }
        } else {
            *met |= matching[Symbol(operation.key).index()];
        }
    });
    idle
}

fn pattern(plan: &Plan, index: u32) -> &Pattern {
    let operation = &plan.tree.operations[index as usize];
    &plan.tree.patterns[operation.key as usize]
}

fn tell(lint: &mut Lint, keys: &BTreeMap<Symbol, u32>, index: u32) {
    let tree = &lint.plan.tree;
    let pattern = pattern(lint.plan, index);
    let text = match pattern {
        Pattern::Literal(key) => tree.strings.text(*key),
        Pattern::Regex { regex, .. } => {
            let text = regex.as_str();
            text.strip_prefix("^(?:").and_then(|text| text.strip_suffix("$)")).unwrap_or(text)
        }
    };
    let elsewhere =
        keys.iter().find(|(key, _)| pattern.matches_text(tree.strings.text(**key), &tree.strings));
    let help = if let Some((key, first)) = elsewhere {
        let key = tree.strings.text(*key);
        let place = tree.sources.place(tree.operations[*first as usize].at);
        format!("`{key}` is set in {place}, which does not come before it")
    } else {
        let texts = keys.keys().map(|key| tree.strings.text(*key));
        nearest(text, texts, 1).first().map_or_else(
            || "`?=` changes keys that have a value already; `=` sets one".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )
    };
    let message = format!("no key that may have a value here matches `{text}`");
    let start = tree.operations[index as usize].at;
    let at = Span { start, len: number(text.len()) };
    lint.report(Finding::MatchesNoKey, at, message, help);
}
