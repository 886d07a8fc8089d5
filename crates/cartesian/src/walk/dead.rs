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
use crate::walk::trail::Trail;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The reasons that were found, for each node.
#[derive(Debug, Default)]
pub(crate) struct Dead {
    nodes: Vec<Reasons>,
    /// For a large block and a tag the variants through which the tag may come.
    ways: FxHashMap<(NodeId, u32), Arc<[NodeId]>>,
}

#[derive(Debug, Default)]
struct Reasons {
    all: Vec<Box<[Fact]>>,
    /// Which is forgotten for the next one.
    oldest: usize,
}

/// Reasons that are kept for a node, and facts in a reason: to look through more would cost more
/// than it saves, and memory is bounded.
const REASONS: usize = 8;
const FACTS: usize = 32;
/// Blocks and tags that are kept.
const WAYS: usize = 10_000;

impl Dead {
    /// Facts that hold here and leave nothing of a node.
    pub(crate) fn reason(&self, node: NodeId, trail: &Trail<Facts>) -> Option<&[Fact]> {
        let Trail { plan, name, in_force, .. } = trail;
        let holds = |fact: &Fact| match *fact {
            Fact::Has(tag) => name.has_tag(tag),
            Fact::Lacks(tag) => !name.has_tag(tag),
            Fact::Sequence(sequence, progress) => {
                name.progress(plan, sequence, name.labels().len()) == progress
            }
            Fact::Guard(guard) => in_force[guard as usize],
        };
        let reasons = &self.nodes.get(node.0 as usize)?.all;
        reasons.iter().find(|facts| facts.iter().all(holds)).map(AsRef::as_ref)
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
        let Reasons { all, oldest } = &mut self.nodes[index];
        if all.len() < REASONS {
            all.push(facts.into());
        } else {
            all[*oldest] = facts.into();
            *oldest = (*oldest + 1) % REASONS;
        }
    }
}
