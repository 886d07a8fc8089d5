//! Depth first through the tree, one variant at a time, with what filters rule out left out.

pub(crate) mod dead;
pub(crate) mod facts;
pub(crate) mod join;
pub(crate) mod judge;
pub(crate) mod name;
pub(crate) mod patience;
pub(crate) mod trail;

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::tree::filter::FilterId;
use crate::walk::dead::Dead;
use crate::walk::facts::{Fact, Facts, FactsMark};
use crate::walk::join::Join;
use crate::walk::judge::Because;
use crate::walk::trail::{Mark, Trail};
use std::sync::Arc;

/// One variant: a path through the tree, or several that a `join` made one.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    /// The nodes from the root down.
    Path(Box<[NodeId]>),
    Joined(Vec<Leaf>),
}

pub(crate) struct Walk<'a> {
    /// What to enter first, and whether a filter takes the place of the joins in there.
    start: Option<(NodeId, bool)>,
    path: Vec<NodeId>,
    trail: Trail<'a, Facts>,
    levels: Vec<Level<'a>>,
}

struct Level<'a> {
    mark: Mark,
    facts: FactsMark,
    /// How many children were tried.
    tried: usize,
    /// Of a large block the only children that may lead anywhere.
    ways: Option<Arc<[NodeId]>>,
    /// A variant came out of here.
    yielded: bool,
    join: Option<Join<'a>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            start: Some((plan.root, false)),
            path: Vec::new(),
            trail: Trail::new(plan, Facts::default()),
            levels: Vec::new(),
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.start.is_none()
    }

    /// Goes to the next variant; false when there is none, or nobody wants to wait for it.
    ///
    /// `dead` is what walks of the same plan remember for one another.
    pub(crate) fn advance(&mut self, dead: &mut Dead) -> bool {
        let plan = self.trail.plan;
        if let Some((node, is_joined)) = self.start.take() {
            self.enter(node, is_joined, dead);
        }
        while let Some(level) = self.levels.last_mut() {
            if dead.patience.is_over() {
                return false;
            }
            if let Some(join) = &mut level.join {
                if join.advance(dead) {
                    level.yielded = true;
                    return true;
                }
                let Trail { because, in_force, .. } = &mut self.trail;
                // A guard that is in force only in there is the filter of the join itself.
                let is_outside = |fact: &&Fact| match fact {
                    Fact::Guard(guard) => in_force[*guard as usize],
                    _ => true,
                };
                match join.reason() {
                    Some(facts) => {
                        facts.iter().filter(is_outside).for_each(|fact| because.add(&[*fact]));
                    }
                    None => because.add_unknown(),
                }
                self.leave(dead);
                continue;
            }
            let Some(&node) = self.path.last() else { break };
            let child = match &level.ways {
                Some(ways) => ways.get(level.tried).copied(),
                None => plan.child(node, level.tried, level.yielded),
            };
            if let Some(child) = child {
                level.tried += 1;
                self.enter(child, false, dead);
            } else if level.ways.is_none() && level.tried == 0 && !level.yielded {
                level.yielded = true;
                return true;
            } else {
                self.leave(dead);
            }
        }
        false
    }

    /// The facts out of which it follows that a walk gave nothing.
    pub(crate) fn reason(&self) -> Option<&[Fact]> {
        self.trail.because.whole()
    }

    /// The variant that the walk is at.
    pub(crate) fn leaf(&self) -> Leaf {
        match self.levels.last().and_then(|level| level.join.as_ref()) {
            Some(join) => join.leaf(),
            None => Leaf::Path(self.path.as_slice().into()),
        }
    }

    /// A walk of its own that begins with a node below this point, where the filter of a `join`
    /// holds.
    fn fork(&self, node: NodeId, filter: FilterId) -> Self {
        let mut trail = self.trail.fork(Facts::default());
        trail.require(filter);
        Self { start: Some((node, true)), path: self.path.clone(), trail, levels: Vec::new() }
    }

    /// Goes into a node, unless a filter rules out everything in there.
    fn enter(&mut self, node: NodeId, is_joined: bool, dead: &mut Dead) {
        if dead.holds(node, &mut self.trail) {
            return;
        }
        let filters = &self.trail.plan.joins[node.0 as usize];
        let join = (!is_joined && !filters.is_empty())
            .then(|| Join::new(filters.iter().map(|&filter| self.fork(node, filter)).collect()));
        let mark = self.trail.mark();
        let facts = self.trail.because.mark();
        // The filter of a join was judged nowhere yet.
        let above = self.path.last().copied().filter(|_| !is_joined);
        let is_possible = join.is_some() || self.trail.enter(node, mark, above);
        self.path.push(node);
        let ways = if join.is_none() && is_possible { self.ways(node, dead) } else { None };
        self.levels.push(Level { mark, facts, tried: 0, ways, yielded: false, join });
        if !is_possible {
            self.leave(dead);
        }
    }

    /// Where an open filter wants a label, only those variants of a large block need be looked at
    /// through which it may come.
    fn ways(&mut self, node: NodeId, dead: &mut Dead) -> Option<Arc<[NodeId]>> {
        const LARGE: usize = 16;
        let plan = self.trail.plan;
        let is_large = plan.tree.node(node).children.len() > LARGE;
        if !is_large || plan.first[node.0 as usize].is_some() {
            return None;
        }
        let (guard, tag) = self.trail.required()?;
        // This is why nothing comes out of the others.
        self.trail.because.guard(guard);
        self.trail.because.lacks(tag);
        Some(dead.ways(plan, node, tag))
    }

    fn leave(&mut self, dead: &mut Dead) {
        let (Some(level), Some(node)) = (self.levels.pop(), self.path.pop()) else { return };
        if level.yielded {
            self.trail.because.forget(level.facts);
        } else if let Some(facts) = self.trail.conclude(level.mark, level.facts) {
            dead.remember(node, facts);
        }
        self.trail.leave(level.mark);
        if let Some(outer) = self.levels.last_mut() {
            outer.yielded |= level.yielded;
        }
    }
}

impl Clone for Walk<'_> {
    /// Of a walk that has not begun.
    fn clone(&self) -> Self {
        let Self { start, path, trail, .. } = self;
        Self { start: *start, path: path.clone(), trail: trail.clone(), levels: Vec::new() }
    }
}
