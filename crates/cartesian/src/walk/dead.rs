//! Why nothing came out of a node, remembered: the same node is reached over and over.
//!
//! When everything below a node was dropped, each thing that was dropped has its reason: a guard
//! that was in force, and labels that the name had or lacked. Whenever the node is reached again
//! and all of these facts hold, nothing can come out of it, whatever else is different: more
//! guards only drop more. This turns the work from the number of combinations that are tried
//! into little more than the number of those that come out.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::walk::facts::{Fact, Facts};
use crate::walk::patience::Patience;
use crate::walk::trail::Trail;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The reasons that were found, for each node.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    nodes: Vec<Reasons>,
    /// For a large block and a tag the variants through which the tag may come.
    ways: FxHashMap<(NodeId, u32), Arc<[NodeId]>>,
    /// How long whoever asked is willing to wait.
    pub(crate) patience: Patience,
}

#[derive(Debug, Default)]
struct Reasons {
    all: Vec<Reason>,
    /// Nothing comes out of it, whatever holds.
    always: bool,
    /// Which is forgotten for the next one.
    oldest: usize,
}

/// Facts that leave nothing of a node when all of them hold.
#[derive(Debug)]
struct Reason {
    /// The one that failed last: it is likely to fail again, and is looked at first.
    first: Fact,
    rest: Box<[Fact]>,
}

/// Reasons that are kept for a node, and facts in a reason: to look through more would cost more
/// than it saves, and memory is bounded.
const REASONS: usize = 8;
const FACTS: usize = 32;
/// Blocks and tags that are kept.
const WAYS: usize = 10_000;

impl Dead {
    /// Whether facts hold here that leave nothing of a node; the trail is told which.
    pub(crate) fn holds(&mut self, node: NodeId, trail: &mut Trail<Facts>) -> bool {
        let Trail { plan, name, in_force, because, .. } = trail;
        let holds = |fact: &Fact| match *fact {
            Fact::Has(tag) => name.has_tag(tag),
            Fact::Lacks(tag) => !name.has_tag(tag),
            Fact::Sequence(sequence, progress) => {
                name.progress(plan, sequence, name.labels().len()) == progress
            }
            Fact::Guard(guard) => in_force[guard as usize],
        };
        let Some(reasons) = self.nodes.get_mut(node.0 as usize) else { return false };
        if reasons.always {
            return true;
        }
        for Reason { first, rest } in &mut reasons.all {
            if !holds(first) {
                continue;
            }
            let Some(failing) = rest.iter_mut().find(|fact| !holds(fact)) else {
                because.add(&[*first]);
                because.add(rest);
                return true;
            };
            std::mem::swap(first, failing);
        }
        false
    }

    /// The children of a node that have a tag, or something below that has it.
    pub(crate) fn ways(&mut self, plan: &Plan, node: NodeId, tag: u32) -> Arc<[NodeId]> {
        if self.ways.len() >= WAYS {
            self.ways.clear();
        }
        let leads = |child: &NodeId| {
            let bit =
                plan.ahead(*child).get(tag as usize / 64).map_or(0, |word| word >> (tag % 64));
            let head = &plan.tree.node(*child).head.labels;
            bit & 1 == 1 || head.iter().any(|label| plan.tags[*label as usize].contains(&tag))
        };
        let find = || plan.tree.node(node).children.iter().copied().filter(leads).collect();
        self.ways.entry((node, tag)).or_insert_with(find).clone()
    }

    pub(crate) fn remember(&mut self, node: NodeId, facts: &[Fact]) {
        if facts.len() > FACTS {
            return;
        }
        let index = node.0 as usize;
        if self.nodes.len() <= index {
            self.nodes.resize_with(index + 1, Reasons::default);
        }
        let Reasons { all, always, oldest } = &mut self.nodes[index];
        let [first, rest @ ..] = facts else {
            *always = true;
            return;
        };
        let reason = Reason { first: *first, rest: rest.into() };
        if all.len() < REASONS {
            all.push(reason);
        } else {
            all[*oldest] = reason;
            *oldest = (*oldest + 1) % REASONS;
        }
    }
}
