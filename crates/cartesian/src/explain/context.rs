//! What a statement stands in.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::tree::label::number;
use crate::tree::source::{Place, Span};
use crate::variant::title::add;

/// One block, or one file, around a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Context {
    /// The block of a variant.
    Variant {
        /// Its labels, as names show them.
        labels: String,
        /// Its line.
        place: Place,
    },
    /// The block of a condition.
    Condition {
        /// The filter as written, with the `!` before it.
        filter: String,
        /// Where it begins.
        place: Place,
        /// `None`: nobody looked, since a condition around it does not hold.
        holds: Option<bool>,
    },
    /// An `include` statement.
    Include {
        /// The path as written.
        path: String,
        /// Where it stands.
        place: Place,
    },
}

/// A condition around a statement, and whether it holds.
pub(super) type Judged = (u32, Option<bool>);

/// What stands around `at`, which is in a node and in conditions inside that.
pub(super) fn around(plan: &Plan, at: u32, node: NodeId, conditions: &[Judged]) -> Vec<Context> {
    let mut inner: Vec<(u32, Context)> = Vec::new();
    for entry in entries(plan, node).into_iter().rev() {
        inner.push(variant(plan, entry));
    }
    inner.extend(conditions.iter().map(|judged| condition(plan, *judged)));
    outside(plan, at, inner)
}

/// What stands around the line of the variant that has the labels of `node`.
pub(super) fn around_head(plan: &Plan, node: NodeId) -> Vec<Context> {
    let at = plan.tree.node(node).head.at.start;
    // The statements of its node stand in the block around it, or in its own.
    let mut around = entries(plan, node);
    around.retain(|entry| plan.tree.spans.entries[*entry as usize].node != node);
    let inner = around.into_iter().rev().map(|entry| variant(plan, entry)).collect();
    outside(plan, at, inner)
}

/// The entries that the statements of a node stand in, the innermost first.
pub(super) fn entries(plan: &Plan, node: NodeId) -> Vec<u32> {
    let spans = &plan.tree.spans;
    let first = spans.nodes[node.0 as usize];
    std::iter::successors(first, |entry| spans.entries[*entry as usize].outer).collect()
}

/// The labels of an entry, as names show them.
pub(super) fn labels(plan: &Plan, entry: u32) -> String {
    labels_of(plan, plan.tree.spans.entries[entry as usize].node, true)
}

/// The labels of a node, as names show them, or short names.
pub(super) fn labels_of(plan: &Plan, node: NodeId, long: bool) -> String {
    let mut text = String::new();
    for &label in &plan.tree.node(node).head.labels {
        let names = plan.names.of(label);
        add(if long { names.long } else { names.short }, &mut text);
    }
    text
}

fn variant(plan: &Plan, entry: u32) -> (u32, Context) {
    let node = plan.tree.spans.entries[entry as usize].node;
    let at = plan.tree.node(node).head.at.start;
    let place = plan.tree.sources.place(at);
    (at, Context::Variant { labels: labels(plan, entry), place })
}

fn condition(plan: &Plan, (index, holds): Judged) -> (u32, Context) {
    let condition = &plan.tree.conditions[index as usize];
    let span = plan.tree.spans.filters[condition.filter.0 as usize];
    let at = span.statement.start;
    let not = if condition.negated { "!" } else { "" };
    let filter = format!("{not}{}", plan.span(span.filter));
    (at, Context::Condition { filter, place: plan.tree.sources.place(at), holds })
}

/// Puts the `include` statements between what stands in the including and the included file.
fn outside(plan: &Plan, at: u32, inner: Vec<(u32, Context)>) -> Vec<Context> {
    let file_at = |at: u32| number(plan.tree.sources.file_at(at));
    let include = |file: &u32| plan.tree.spans.includes.get(file).copied();
    let outward = |file: &u32| include(file).map(|span: Span| file_at(span.start));
    let files: Vec<u32> = std::iter::successors(Some(file_at(at)), outward).collect();
    let mut inner = inner.into_iter().peekable();
    let mut contexts = Vec::new();
    for file in files.iter().rev() {
        if let Some(span) = include(file) {
            let place = plan.tree.sources.place(span.start);
            contexts.push(Context::Include { path: plan.span(span).to_owned(), place });
        }
        while let Some((_, context)) = inner.next_if(|(at, _)| file_at(*at) == *file) {
            contexts.push(context);
        }
    }
    contexts.extend(inner.map(|(_, context)| context));
    contexts
}
