//! The way from the root to a node, with the guards that are still open there.
//!
//! A guard is judged as soon as the beginning of the name decides it, and never again below: each
//! level keeps only those that are still open.

use crate::plan::ahead::Narrow;
use crate::plan::{Guard, Plan};
use crate::tree::NodeId;
use crate::tree::filter::{FilterId, Term};
use crate::tree::label::number;
use crate::walk::judge::{Because, Judge, Verdict};
use crate::walk::name::Name;

#[derive(Clone)]
pub(crate) struct Trail<'a, B> {
    pub(crate) plan: &'a Plan,
    pub(crate) narrow: Option<&'a Narrow>,
    pub(crate) name: Name,
    /// For each guard whether it is open here.
    pub(crate) in_force: Vec<bool>,
    /// Why guards were decided as they were.
    pub(crate) because: B,
    /// The open guards of all levels, the outermost level first.
    open: Vec<Guard>,
    /// Guards that levels brought in, and guards from further up that were decided there.
    pub(crate) begun: Vec<u32>,
    ended: Vec<u32>,
    /// Where the open guards begin that the next level inherits.
    inherited: usize,
}

/// How to come back from a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    inherited: usize,
    open: usize,
    pub(crate) labels: usize,
    pub(crate) begun: usize,
    ended: usize,
}

impl<'a, B: Because> Trail<'a, B> {
    pub(crate) fn new(plan: &'a Plan, because: B) -> Self {
        let mut name = Name::new();
        name.fit(plan);
        Self {
            plan,
            narrow: None,
            name,
            in_force: vec![false; plan.guard_count()],
            because,
            open: Vec::new(),
            begun: Vec::new(),
            ended: Vec::new(),
            inherited: 0,
        }
    }

    /// A trail of its own that begins here.
    pub(crate) fn fork(&self, because: B) -> Self {
        Self {
            plan: self.plan,
            narrow: self.narrow,
            name: self.name.clone(),
            in_force: self.in_force.clone(),
            because,
            open: self.inherited().to_vec(),
            begun: Vec::new(),
            ended: Vec::new(),
            inherited: 0,
        }
    }

    /// From here on a filter has to match that is in no node.
    pub(crate) fn require(&mut self, filter: FilterId) {
        let guard = Guard::Only(filter);
        self.in_force[self.plan.number(guard)] = true;
        self.open.push(guard);
    }

    /// The guards that are open here.
    pub(crate) fn inherited(&self) -> &[Guard] {
        &self.open[self.inherited..]
    }

    /// A tag that has to come below, and the number of the guard that wants it.
    pub(crate) fn required(&self) -> Option<(u32, u32)> {
        self.inherited().iter().find_map(|&guard| {
            let Guard::Only(filter) = guard else { return None };
            let mut words = self.plan.tree.filters.words(filter);
            let (Some(word), None) = (words.next(), words.next()) else { return None };
            let tag = word.iter().find_map(|term| match *term {
                Term::Tag(tag) if !self.name.has_tag(tag) => Some(tag),
                _ => None,
            })?;
            Some((number(self.plan.number(guard)), tag))
        })
    }

    /// A level below this one; [`leave`](Self::leave) goes back.
    pub(crate) fn mark(&mut self) -> Mark {
        Mark {
            inherited: std::mem::replace(&mut self.inherited, self.open.len()),
            open: self.open.len(),
            labels: self.name.labels().len(),
            begun: self.begun.len(),
            ended: self.ended.len(),
        }
    }

    /// Goes into a node, on a level that was marked for it; false when a filter rules out
    /// everything in there. `above` is the node that it is reached from, if all open guards were
    /// judged there.
    pub(crate) fn enter(&mut self, node: NodeId, mark: Mark, above: Option<NodeId>) -> bool {
        let plan = self.plan;
        for &label in &plan.tree.node(node).head.labels {
            self.name.push(plan, label);
        }
        let inherited = mark.inherited..mark.open;
        let ahead = plan.ahead(node);
        match above.filter(|_| self.narrow.is_none()).map(|above| plan.ahead(above)) {
            Some(above)
                if std::ptr::eq(above, ahead) && mark.labels == self.name.labels().len() =>
            {
                self.open.extend_from_within(inherited);
            }
            above => {
                for at in inherited {
                    let guard = self.open[at];
                    if above.is_some_and(|above| self.is_as_above(guard, above, ahead)) {
                        self.open.push(guard);
                    } else if !self.admit(guard, node, true) {
                        return false;
                    }
                }
            }
        }
        let guards = &plan.node_guards[node.0 as usize];
        guards.iter().all(|&guard| self.admit(guard, node, false))
    }

    /// Whether nothing has changed for a guard that was open above: no label came that it names,
    /// and none of those that it waits for can come no more. True is certain, false is not.
    fn is_as_above(&self, guard: Guard, above: &[u64], ahead: &[u64]) -> bool {
        let filters = &self.plan.tree.filters;
        let has = |set: &[u64], tag: u32| set[tag as usize / 64] >> (tag % 64) & 1 == 1;
        filters.terms(self.plan.filter(guard)).iter().all(|term| match *term {
            Term::Tag(tag) => !has(above, tag) || (has(ahead, tag) && !self.name.has_tag(tag)),
            Term::Sequence(sequence) => {
                let tags = &filters.sequences[sequence as usize];
                tags.last().is_none_or(|&last| {
                    !has(above, last)
                        || (!self.name.has_tag(last) && tags.iter().all(|&tag| has(ahead, tag)))
                })
            }
        })
    }

    pub(crate) fn leave(&mut self, mark: Mark) {
        self.inherited = mark.inherited;
        self.open.truncate(mark.open);
        self.name.truncate(self.plan, mark.labels);
        for guard in self.begun.drain(mark.begun..) {
            self.in_force[guard as usize] = false;
        }
        for guard in self.ended.drain(mark.ended..) {
            self.in_force[guard as usize] = true;
        }
    }

    /// Keeps a guard that is still open; false when it drops everything from here on.
    fn admit(&mut self, guard: Guard, node: NodeId, is_inherited: bool) -> bool {
        let plan = self.plan;
        let filter = plan.filter(guard);
        let ahead = match self.narrow {
            Some(narrow) => narrow.ahead(plan, node),
            None => plan.ahead(node),
        };
        let judge = Judge { plan, name: &self.name, ahead };
        let verdict = judge.filter(filter);
        let index = plan.number(guard);
        if verdict == Verdict::Open {
            if !is_inherited {
                self.in_force[index] = true;
                self.begun.push(number(index));
            }
            self.open.push(guard);
            return true;
        }
        if is_inherited {
            self.in_force[index] = false;
            self.ended.push(number(index));
        }
        let matches = verdict == Verdict::Match;
        let applies = match guard {
            Guard::Only(_) => !matches,
            Guard::No(_) => matches,
            Guard::When(condition) => matches != plan.tree.conditions[condition as usize].negated,
        };
        if applies || B::IS_WHOLE {
            if is_inherited {
                self.because.guard(number(index));
            }
            judge.explain(filter, verdict, &mut self.because);
        }
        if !applies {
            return true;
        }
        let Guard::When(condition) = guard else { return false };
        let guards = &plan.condition_guards[condition as usize];
        guards.iter().all(|&inner| self.admit(inner, node, false))
    }
}
