//! Statements for a key that stand in blocks of other variants.

use super::context::{self, Context, Judged};
use super::recorder::Recorder;
use super::statement;
use super::statements;
use crate::tree::NodeId;
use crate::tree::label::number;
use crate::tree::source::Place;
use rustc_hash::FxHashSet;

/// A statement that another variant has.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Elsewhere {
    /// Where it stands.
    pub place: Place,
    /// Its text.
    pub statement: String,
    /// As in a [`Step`](super::Step).
    pub operator: &'static str,
    /// What it stands in, the outermost first.
    pub context: Vec<Context>,
}

/// Those that have most blocks in common with the variant come first, then in the order of the
/// text.
pub(super) fn find(recorder: &Recorder) -> Vec<Elsewhere> {
    let plan = recorder.plan;
    let mut on_path = vec![false; plan.tree.nodes.len()];
    let mut own = FxHashSet::default();
    for &node in &recorder.path {
        on_path[node.0 as usize] = true;
        own.extend(context::entries(plan, node));
    }
    let mut found: Vec<(usize, u32, Elsewhere)> = Vec::new();
    for node in (0..number(plan.tree.nodes.len())).map(NodeId) {
        if on_path[node.0 as usize] {
            continue;
        }
        statements::each(plan, node, None, &mut |index, conditions: &[Judged]| {
            let operation = &plan.tree.operations[index as usize];
            let watch = &recorder.watch;
            if !watch.concerns(plan, operation) && !watch.bounds(plan, operation) {
                return;
            }
            let entries = context::entries(plan, node);
            let shared = entries.iter().filter(|entry| own.contains(entry)).count();
            let elsewhere = Elsewhere {
                place: plan.tree.sources.place(operation.at),
                statement: statement::text(plan, operation),
                operator: statement::operator(plan, operation),
                context: context::around(plan, operation.at, node, conditions),
            };
            found.push((shared, operation.at, elsewhere));
        });
    }
    found.sort_by_key(|(shared, at, _)| (std::cmp::Reverse(*shared), *at));
    found.into_iter().map(|(_, _, elsewhere)| elsewhere).collect()
}
