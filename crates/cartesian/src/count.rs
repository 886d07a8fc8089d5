//! How many variants there are, without going to each of them.
//!
//! How many come out of a node depends on the node, on the guards that are open there, and on
//! those labels of the name so far that decided a guard on the way down. These are noted, and
//! wherever all of this is the same again, the number is, too.

use crate::depends::{Depends, Key, Support};
use crate::filter::FilterId;
use crate::label::number;
use crate::plan::Plan;
use crate::trail::{Mark, Trail};
use crate::tree::NodeId;
use rustc_hash::FxHashMap;

/// How many variants the plan gives; `u64::MAX` where there are more than that.
pub(crate) fn count(plan: &Plan) -> u64 {
    let mut memo = Memo { nodes: vec![None; plan.tree.nodes.len()], ..Memo::default() };
    Count::new(Trail::new(plan, Depends::new(plan))).run(plan.root, false, &mut memo)
}

/// What was counted so far.
#[derive(Default)]
struct Memo {
    places: Vec<Place>,
    /// For each node its place where no guard is open.
    nodes: Vec<Option<u32>>,
    /// By node and open guards.
    guarded: FxHashMap<Box<[u32]>, u32>,
    /// Numbers in all places.
    size: usize,
}

struct Place {
    /// What the numbers depend on.
    support: Support,
    /// By the part of the name that matters.
    numbers: FxHashMap<Key, u64>,
}

/// Numbers that are kept: a hundred bytes each.
const NUMBERS: usize = 500_000;

impl Memo {
    fn find(&self, at: &At) -> Option<&Place> {
        let place = match at {
            At::Node(node) => self.nodes[node.0 as usize],
            At::Guarded(key) => self.guarded.get(key).copied(),
        };
        Some(&self.places[place? as usize])
    }

    fn keep(&mut self, at: At, count: u64, trail: &Trail<Depends>) {
        if self.size >= NUMBERS {
            *self = Self { nodes: vec![None; self.nodes.len()], ..Self::default() };
        }
        let plan = trail.plan;
        let depends = trail.because.last();
        let next = number(self.places.len());
        let place = match at {
            At::Node(node) => *self.nodes[node.0 as usize].get_or_insert(next),
            At::Guarded(key) => *self.guarded.entry(key).or_insert(next),
        };
        if place == next {
            let support = Support::new(plan, depends);
            self.places.push(Place { support, numbers: FxHashMap::default() });
        }
        let Place { support, numbers } = &mut self.places[place as usize];
        if support.grow(plan, depends) {
            self.size -= numbers.len();
            numbers.clear();
        }
        let is_new = numbers.insert(support.key(plan, &trail.name), count).is_none();
        self.size += usize::from(is_new);
    }
}

/// Where numbers are kept.
enum At {
    Node(NodeId),
    /// The node, whether its joins are left out, and the open guards.
    Guarded(Box<[u32]>),
}

struct Count<'a> {
    trail: Trail<'a, Depends<'a>>,
    levels: Vec<Level>,
    /// The number of what was left last.
    result: u64,
}

struct Level {
    mark: Mark,
    node: NodeId,
    at: At,
    /// How many children were counted.
    counted: usize,
    sum: u64,
}

impl<'a> Count<'a> {
    fn new(trail: Trail<'a, Depends<'a>>) -> Self {
        Self { trail, levels: Vec::new(), result: 0 }
    }

    fn run(&mut self, node: NodeId, is_joined: bool, memo: &mut Memo) -> u64 {
        self.enter(node, is_joined, memo);
        while let Some(level) = self.levels.last_mut() {
            let child = self.trail.plan.child(level.node, level.counted, level.sum > 0);
            if let Some(child) = child {
                level.counted += 1;
                self.enter(child, false, memo);
            } else {
                let number = if level.counted == 0 { 1 } else { level.sum };
                self.leave(number, memo);
            }
        }
        self.result
    }

    fn enter(&mut self, node: NodeId, is_joined: bool, memo: &mut Memo) {
        let at = self.at(node, is_joined);
        if let Some(Place { support, numbers }) = memo.find(&at)
            && let Some(&number) = numbers.get(&support.key(self.trail.plan, &self.trail.name))
        {
            self.trail.because.add(&support.set);
            self.add(number);
            return;
        }
        self.trail.because.push();
        let joins = &self.trail.plan.joins[node.0 as usize];
        let joined = (!is_joined && !joins.is_empty()).then(|| self.join(node, joins, memo));
        let mark = self.trail.mark();
        self.levels.push(Level { mark, node, at, counted: 0, sum: 0 });
        if let Some(number) = joined {
            self.leave(number, memo);
        } else if !self.trail.enter(node, mark) {
            self.leave(0, memo);
        }
    }

    /// What is joined is every combination of one variant per filter.
    fn join(&mut self, node: NodeId, filters: &[FilterId], memo: &mut Memo) -> u64 {
        let mut number = 1_u64;
        for &filter in filters {
            let mut trail = self.trail.fork(Depends::new(self.trail.plan));
            trail.require(filter);
            trail.because.push();
            let mut each = Count::new(trail);
            number = number.saturating_mul(each.run(node, true, memo));
            self.trail.because.add(each.trail.because.last());
        }
        number
    }

    fn leave(&mut self, number: u64, memo: &mut Memo) {
        let Some(level) = self.levels.pop() else { return };
        let plan = self.trail.plan;
        for &label in &plan.tree.node(level.node).head.labels {
            for tag in plan.tags_of(label) {
                self.trail.because.remove(tag);
            }
        }
        self.trail.leave(level.mark);
        memo.keep(level.at, number, &self.trail);
        self.trail.because.pop();
        self.add(number);
    }

    fn add(&mut self, number: u64) {
        match self.levels.last_mut() {
            Some(level) => level.sum = level.sum.saturating_add(number),
            None => self.result = number,
        }
    }

    fn at(&self, node: NodeId, is_joined: bool) -> At {
        let guards = self.trail.inherited();
        if guards.is_empty() && !is_joined {
            return At::Node(node);
        }
        let guards = guards.iter().map(|&guard| number(self.trail.plan.number(guard)));
        At::Guarded(std::iter::once(node.0 << 1 | u32::from(is_joined)).chain(guards).collect())
    }
}
