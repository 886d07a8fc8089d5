//! Depth first through the tree, one variant at a time, with what filters rule out left out.
//!
//! A filter is judged as soon as the beginning of the name decides it, and never again below:
//! each level keeps only those that are still open.

use crate::filter::{FilterId, Verdict};
use crate::plan::{Guard, NO_TAG, Name, Plan};
use crate::tree::NodeId;

/// One variant: a path through the tree, or several that a `join` made one.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    /// The nodes from the root down.
    Path(Box<[NodeId]>),
    Joined(Vec<Leaf>),
}

pub(crate) struct Walk<'a> {
    plan: &'a Plan,
    /// What to enter first, and the filter of a `join` that holds in there.
    start: Option<(NodeId, Option<FilterId>)>,
    path: Vec<NodeId>,
    labels: Vec<u32>,
    present: Vec<u32>,
    /// The open guards of all levels, the outermost level first.
    open: Vec<Guard>,
    levels: Vec<Level<'a>>,
}

struct Level<'a> {
    open_start: usize,
    labels_start: usize,
    /// How many children were tried.
    tried: usize,
    /// A variant came out of here.
    yielded: bool,
    join: Option<Join<'a>>,
}

/// Every combination of one variant per filter.
struct Join<'a> {
    filters: &'a [FilterId],
    begin: Walk<'a>,
    walks: Vec<Walk<'a>>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            start: Some((plan.root, None)),
            path: Vec::new(),
            labels: Vec::new(),
            present: vec![0; plan.tag_count],
            open: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Goes to the next variant; false when there is none.
    pub(crate) fn advance(&mut self) -> bool {
        if let Some((node, filter)) = self.start.take() {
            self.enter(node, 0, filter);
        }
        while let Some(level) = self.levels.last_mut() {
            if let Some(join) = &mut level.join {
                if join.advance() {
                    level.yielded = true;
                    return true;
                }
                self.leave();
                continue;
            }
            let node = *self.path.last().expect("a level has a node");
            let children = &self.plan.tree.node(node).children;
            if children.is_empty() {
                if !level.yielded {
                    level.yielded = true;
                    return true;
                }
                self.leave();
                continue;
            }
            let first = self.plan.first[node.0 as usize];
            let done = first.is_some_and(|f| f.suffices) && level.tried == 1 && level.yielded;
            if done || level.tried == children.len() {
                self.leave();
                continue;
            }
            let child = children[order(level.tried, first.map(|first| first.child))];
            level.tried += 1;
            let inherited = level.open_start;
            self.enter(child, inherited, None);
        }
        false
    }

    /// The variant that the walk is at.
    pub(crate) fn leaf(&self) -> Leaf {
        match self.levels.last().and_then(|level| level.join.as_ref()) {
            Some(join) => Leaf::Joined(join.walks.iter().map(Walk::leaf).collect()),
            None => Leaf::Path(self.path.as_slice().into()),
        }
    }

    /// Goes into a node, unless a filter rules out everything in there.
    fn enter(&mut self, node: NodeId, inherited: usize, filter: Option<FilterId>) {
        let plan = self.plan;
        let joins = &plan.joins[node.0 as usize];
        let open_start = self.open.len();
        let labels_start = self.labels.len();
        if filter.is_none() && !joins.is_empty() {
            let join =
                Join { filters: joins, begin: self.fork(node, inherited), walks: Vec::new() };
            self.path.push(node);
            let join = Some(join);
            self.levels.push(Level { open_start, labels_start, tried: 0, yielded: false, join });
            return;
        }
        self.path.push(node);
        for &label in &plan.tree.node(node).head.labels {
            self.labels.push(label);
            for &tag in plan.tags[label as usize].iter().filter(|&&tag| tag != NO_TAG) {
                self.present[tag as usize] += 1;
            }
        }
        self.levels.push(Level { open_start, labels_start, tried: 0, yielded: false, join: None });
        let possible = (inherited..open_start).all(|at| self.admit(self.open[at], node))
            && plan.node_guards[node.0 as usize].iter().all(|&guard| self.admit(guard, node))
            && filter.is_none_or(|filter| self.admit(Guard::Only(filter), node));
        if !possible {
            self.leave();
        }
    }

    fn leave(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        self.path.pop();
        self.open.truncate(level.open_start);
        for label in self.labels.drain(level.labels_start..) {
            let tags = self.plan.tags[label as usize];
            for &tag in tags.iter().filter(|&&tag| tag != NO_TAG) {
                self.present[tag as usize] -= 1;
            }
        }
        if let Some(outer) = self.levels.last_mut() {
            outer.yielded |= level.yielded;
        }
    }

    /// Keeps a guard that is still open; false when it drops everything from here on.
    fn admit(&mut self, guard: Guard, node: NodeId) -> bool {
        let filter = match guard {
            Guard::Only(filter) | Guard::No(filter) => filter,
            Guard::When(condition) => self.plan.tree.conditions[condition as usize].filter,
        };
        let name = Name {
            plan: self.plan,
            labels: &self.labels,
            present: &self.present,
            ahead: self.plan.ahead(node),
        };
        let matches = match self.plan.tree.filters.judge(filter, &name) {
            Verdict::Open => {
                self.open.push(guard);
                return true;
            }
            verdict => verdict == Verdict::Match,
        };
        match guard {
            Guard::Only(_) => matches,
            Guard::No(_) => !matches,
            Guard::When(condition) => {
                let condition = condition as usize;
                if matches == self.plan.tree.conditions[condition].negated {
                    return true;
                }
                let plan = self.plan;
                plan.condition_guards[condition].iter().all(|&inner| self.admit(inner, node))
            }
        }
    }

    /// A walk of its own below this point, which has not begun.
    fn fork(&self, node: NodeId, inherited: usize) -> Self {
        Self {
            plan: self.plan,
            start: Some((node, None)),
            path: self.path.clone(),
            labels: self.labels.clone(),
            present: self.present.clone(),
            open: self.open[inherited..].to_vec(),
            levels: Vec::new(),
        }
    }

    fn copy_with(&self, filter: FilterId) -> Self {
        let node = self.start.expect("a fork has not begun").0;
        let mut copy = self.fork(node, 0);
        copy.start = Some((node, Some(filter)));
        copy
    }
}

impl Join<'_> {
    fn advance(&mut self) -> bool {
        if self.walks.is_empty() {
            self.push();
        }
        while let Some(walk) = self.walks.last_mut() {
            if !walk.advance() {
                self.walks.pop();
            } else if self.walks.len() == self.filters.len() {
                return true;
            } else {
                self.push();
            }
        }
        false
    }

    fn push(&mut self) {
        let filter = self.filters[self.walks.len()];
        self.walks.push(self.begin.copy_with(filter));
    }
}

/// The child that is tried as number `tried`: `first` comes before all others.
fn order(tried: usize, first: Option<u32>) -> usize {
    match first {
        Some(first) if tried == 0 => first as usize,
        Some(first) if tried <= first as usize => tried - 1,
        _ => tried,
    }
}
