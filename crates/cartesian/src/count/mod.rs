//! How many variants there are, without going to each of them.
//!
//! How many come out of a node depends on the node, on the guards that are open there, and on
//! those labels of the name so far that decided a guard on the way down. These are noted, and
//! wherever all of this is the same again, the number is, too.
//!
//! What stands first in a text is lowest in the tree. In a matrix of tests that is the block of
//! all tests, and together they name so many labels that hardly any two combinations of guests
//! and hardware are the same to all of them. To each of them most are: so a large block that every
//! path goes through is counted one alternative after another.

pub(crate) mod alike;
pub(crate) mod depends;

use crate::count::alike::Alike;
use crate::count::depends::{Depends, Numbers, Support};
use crate::plan::Plan;
use crate::plan::ahead::Narrow;
use crate::tree::NodeId;
use crate::tree::filter::FilterId;
use crate::tree::label::number;
use crate::walk::Walk;
use crate::walk::dead::Dead;
use crate::walk::trail::{Mark, Trail};
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many variants the plan gives; `u64::MAX` where there are more than that.
pub(crate) fn count(plan: &Plan) -> u64 {
    few(plan).unwrap_or_else(|| many(plan))
}

/// The number, if going to each of them takes less time than anything else.
fn few(plan: &Plan) -> Option<u64> {
    const FEW: u64 = 50_000;
    let mut dead = Dead::default();
    let mut walk = Walk::new(plan);
    (0..FEW).find(|_| !walk.advance(&mut dead))
}

fn many(plan: &Plan) -> u64 {
    let alike = Alike::new(plan);
    let Some(widest) = widest(plan) else { return count_narrow(plan, &alike, None) };
    let mut alternatives = Vec::new();
    split(plan, vec![widest], &mut alternatives);
    // Each alternative costs a pass over the nodes.
    if alternatives.len().saturating_mul(plan.ahead.size()) > PASSES {
        return count_narrow(plan, &alike, None);
    }
    let next = AtomicUsize::new(0);
    in_threads(|| {
        let mut sum = 0_u64;
        while let Some(path) = alternatives.get(next.fetch_add(1, Ordering::Relaxed)) {
            let narrow = Narrow::new(plan, path.clone());
            sum = sum.saturating_add(count_narrow(plan, &alike, Some(&narrow)));
        }
        sum
    })
}

/// Words that all the passes together may look at: some seconds' work.
const PASSES: usize = 1 << 31;

/// A block of fewer variants is not worth being counted one by one.
const WIDE: usize = 16;

/// The children of the last node of the path, and of those children that hold a large block
/// themselves the children of these.
fn split(plan: &Plan, path: Vec<NodeId>, alternatives: &mut Vec<Vec<NodeId>>) {
    let mut pending = vec![path];
    while let Some(path) = pending.pop() {
        let Some(&last) = path.last() else { continue };
        for &child in &plan.tree.node(last).children {
            let mut longer = path.clone();
            longer.push(child);
            let is_wide = plan.tree.node(child).children.len() > WIDE && !is_whole(plan, child);
            if is_wide { &mut pending } else { &mut *alternatives }.push(longer);
        }
    }
}

/// What is joined, and a default, concern all alternatives at once.
fn is_whole(plan: &Plan, node: NodeId) -> bool {
    !plan.joins[node.0 as usize].is_empty() || plan.first[node.0 as usize].is_some()
}

/// The sum of what several threads find.
fn in_threads(some: impl Fn() -> u64 + Sync) -> u64 {
    const THREADS: usize = 8;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    std::thread::scope(|scope| {
        // Where no thread can be had, this one does all of it.
        let others: Vec<_> = (1..threads)
            .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, &some).ok())
            .collect();
        let own = some();
        let others = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        others.fold(own, u64::saturating_add)
    })
}

fn count_narrow(plan: &Plan, alike: &Alike, narrow: Option<&Narrow>) -> u64 {
    let mut memo = Memo::new(alike, plan.tree.nodes.len());
    let mut trail = Trail::new(plan, Depends::new(plan));
    trail.narrow = narrow;
    Count::new(trail).run(plan.root, false, &mut memo)
}

/// The node with the most children among those that every path goes through, if it pays.
fn widest(plan: &Plan) -> Option<NodeId> {
    let mut is_reached = vec![false; plan.tree.nodes.len()];
    is_reached[plan.root.0 as usize] = true;
    let mut pending = 1;
    let mut widest = None;
    let mut most = WIDE;
    // Children have smaller numbers than their parents: when a node's turn comes and no other is
    // waiting, all paths have come together in it.
    for index in (0..=plan.root.0 as usize).rev() {
        if !is_reached[index] {
            continue;
        }
        if is_whole(plan, NodeId(number(index))) {
            break;
        }
        let children = &plan.tree.nodes[index].children;
        if pending == 1 && children.len() > most {
            most = children.len();
            widest = Some(NodeId(number(index)));
        }
        pending -= 1;
        for child in children {
            let is_new = !std::mem::replace(&mut is_reached[child.0 as usize], true);
            pending += usize::from(is_new);
        }
    }
    widest
}

/// What was counted so far.
struct Memo<'a> {
    alike: &'a Alike,
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
    numbers: Numbers,
}

/// Numbers that are kept: a hundred bytes each.
const NUMBERS: usize = 2_000_000;

impl<'a> Memo<'a> {
    fn new(alike: &'a Alike, nodes: usize) -> Self {
        Self {
            alike,
            places: Vec::new(),
            nodes: vec![None; nodes],
            guarded: FxHashMap::default(),
            size: 0,
        }
    }

    fn find(&self, at: &At) -> Option<&Place> {
        let place = match at {
            At::Node(node) => self.nodes[node.0 as usize],
            At::Guarded(key) => self.guarded.get(key).copied(),
        };
        Some(&self.places[place? as usize])
    }

    fn keep(&mut self, at: At, count: u64, trail: &Trail<Depends>) {
        if self.size >= NUMBERS {
            *self = Self::new(self.alike, self.nodes.len());
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
            self.places.push(Place { support, numbers: Numbers::default() });
        }
        let Place { support, numbers } = &mut self.places[place as usize];
        if support.grow(plan, depends) {
            self.size -= numbers.len();
            numbers.clear();
        }
        let before = numbers.len();
        numbers.insert(support.key(plan, &trail.name), count);
        self.size += numbers.len() - before;
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
            let only = self.trail.narrow.and_then(|narrow| narrow.child(level.node));
            let child = match only {
                Some(only) => (level.counted == 0).then_some(only),
                None => self.trail.plan.child(level.node, level.counted, level.sum > 0),
            };
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
        let at = self.at(node, is_joined, memo.alike);
        if let Some(Place { support, numbers }) = memo.find(&at)
            && let Some(number) = numbers.get(&support.key(self.trail.plan, &self.trail.name))
        {
            self.trail.because.add(&support.set);
            self.add(number);
            return;
        }
        self.trail.because.push();
        let joins = &self.trail.plan.joins[node.0 as usize];
        let joined = (!is_joined && !joins.is_empty()).then(|| self.join(node, joins, memo));
        let mark = self.trail.mark();
        let above = self.levels.last().map(|level| level.node);
        self.levels.push(Level { mark, node, at, counted: 0, sum: 0 });
        if let Some(number) = joined {
            self.leave(number, memo);
        } else if !self.trail.enter(node, mark, above) {
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

    fn at(&self, node: NodeId, is_joined: bool, alike: &Alike) -> At {
        let guards = self.trail.inherited();
        if guards.is_empty() && !is_joined {
            return At::Node(node);
        }
        let numbers = guards.iter().map(|&guard| alike.number(self.trail.plan, guard));
        let mut key: Vec<u32> = numbers.collect();
        key.sort_unstable();
        key.dedup();
        key.push(node.0 << 1 | u32::from(is_joined));
        At::Guarded(key.into())
    }
}

#[cfg(test)]
mod tests;
