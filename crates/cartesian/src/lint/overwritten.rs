//! Values that are replaced before anything can use them.

use super::{Finding, Lint};
use crate::plan::Plan;
use crate::tree::Item;
use crate::tree::label::{Symbol, number};
use crate::tree::operation::{Kind, Operation};
use crate::tree::source::Span;
use rustc_hash::FxHashMap;

pub(super) fn check(lint: &mut Lint) {
    let plan = lint.plan;
    for node in &plan.tree.nodes {
        check_items(lint, &node.items);
    }
    for condition in &plan.tree.conditions {
        check_items(lint, &condition.body);
    }
}

/// The statements of one scope between two `variants` blocks, which follow one another.
fn check_items(lint: &mut Lint, items: &[Item]) {
    let plan = lint.plan;
    let tree = &plan.tree;
    // For each key its last plain assignment, if nobody can have read it since.
    let mut unread: FxHashMap<u32, u32> = FxHashMap::default();
    let mut file = None;
    for &item in items {
        // What another file set is a default; and who reads it there is that file's matter.
        let at = start(plan, item);
        let here = Some(tree.sources.file_at(at));
        if here != file {
            unread.clear();
            file = here;
        }
        let index = match item {
            Item::Assign(index) => index,
            Item::When(_) | Item::Suffix(_) => {
                unread.clear();
                continue;
            }
            Item::Only(_) | Item::No(_) | Item::Join(_) => continue,
        };
        let operation = &tree.operations[index as usize];
        if operation.kind.is_pattern() {
            unread.clear();
            continue;
        }
        if let Some(template) = operation.template {
            for (_, key) in &tree.templates[template as usize].holes {
                unread.remove(&key.0);
            }
        }
        let before = unread.remove(&operation.key);
        if let (Kind::Delete, Some(before)) = (operation.kind, before) {
            tell(lint, before, operation);
        }
        if operation.kind != Kind::Set || plan.span(Span { start: at, len: 1 }) == "-" {
            continue;
        }
        unread.insert(operation.key, index);
        if let Some(before) = before {
            tell(lint, before, operation);
        }
    }
}

/// `after` is what the value does not outlive.
fn tell(lint: &mut Lint, before: u32, after: &Operation) {
    let tree = &lint.plan.tree;
    let Operation { key, at: start, .. } = tree.operations[before as usize];
    let key = tree.strings.text(Symbol(key));
    let at = Span { start, len: number(key.len()) };
    let place = tree.sources.place(after.at);
    let (what, help) = match after.kind {
        Kind::Delete => ("deleted", format!("`del {key}` is in {place}")),
        _ => ("replaced", format!("`{key}` is set again in {place}")),
    };
    let message = format!("this value of `{key}` is {what} before anything reads it");
    lint.report(Finding::Overwritten, at, message, help);
}

fn start(plan: &Plan, item: Item) -> u32 {
    let tree = &plan.tree;
    match item {
        Item::Assign(index) => tree.operations[index as usize].at,
        Item::Only(filter) | Item::No(filter) | Item::Join(filter) => {
            tree.spans.filters[filter.0 as usize].filter.start
        }
        Item::When(condition) => {
            let filter = tree.conditions[condition as usize].filter;
            tree.spans.filters[filter.0 as usize].filter.start
        }
        Item::Suffix(suffix) => tree.suffixes[suffix as usize].at.start,
    }
}
