//! The way from the root to a node, with the guards that are still open there.
//!
//! A guard is judged as soon as the beginning of the name decides it, and never again below: each
//! level keeps only those that are still open.

use crate::dead::Fact;
use crate::filter::FilterId;
use crate::judge::{Because, Judge, Verdict};
use crate::label::number;
use crate::name::Name;
use crate::plan::{Guard, Plan};
use crate::tree::NodeId;

#[derive(Clone)]
pub(crate) struct Trail<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) name: Name,
    /// For each guard whether it is open here.
    pub(crate) in_force: Vec<bool>,
    pub(crate) because: Facts,
    /// The open guards of all levels, the outermost level first.
    open: Vec<Guard>,
    /// Guards that levels brought in, and guards from further up that were decided there.
    begun: Vec<u32>,
    ended: Vec<u32>,
    /// Where the open guards begin that the next level inherits.
    inherited: usize,
}

/// How to come back from a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    inherited: usize,
    open: usize,
    labels: usize,
    begun: usize,
    ended: usize,
    facts: usize,
    from: usize,
}

/// The facts out of which it follows that nothing came out of the levels so far.
#[derive(Clone)]
pub(crate) struct Facts {
    all: Vec<Fact>,
    /// The facts hold for names that have the same labels from here on, counted from 1;
    /// 0 where it is not known what they depend on.
    from: usize,
}

impl Because for Facts {
    fn has(&mut self, tag: u32) {
        self.all.push(Fact::Has(tag));
    }

    fn lacks(&mut self, tag: u32) {
        self.all.push(Fact::Lacks(tag));
    }

    fn reads_from(&mut self, position: usize) {
        self.from = self.from.min(position + 1);
    }
}

impl Facts {
    fn new() -> Self {
        Self { all: Vec::new(), from: usize::MAX }
    }

    pub(crate) fn add(&mut self, facts: &[Fact]) {
        self.all.extend_from_slice(facts);
    }

    pub(crate) fn add_unknown(&mut self) {
        self.from = 0;
    }
}

impl<'a> Trail<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let mut name = Name::new();
        name.fit(plan);
        Self {
            plan,
            name,
            in_force: vec![false; plan.guard_count()],
            because: Facts::new(),
            open: Vec::new(),
            begun: Vec::new(),
            ended: Vec::new(),
            inherited: 0,
        }
    }

    /// A trail of its own that begins here.
    pub(crate) fn fork(&self) -> Self {
        Self {
            plan: self.plan,
            name: self.name.clone(),
            in_force: self.in_force.clone(),
            because: Facts::new(),
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

    /// A level below this one; [`leave`](Self::leave) goes back.
    pub(crate) fn mark(&mut self) -> Mark {
        Mark {
            inherited: std::mem::replace(&mut self.inherited, self.open.len()),
            open: self.open.len(),
            labels: self.name.labels().len(),
            begun: self.begun.len(),
            ended: self.ended.len(),
            facts: self.because.all.len(),
            from: std::mem::replace(&mut self.because.from, usize::MAX),
        }
    }

    /// Goes into a node, on a level that was marked for it; false when a filter rules out
    /// everything in there.
    pub(crate) fn enter(&mut self, node: NodeId, mark: Mark) -> bool {
        let plan = self.plan;
        for &label in &plan.tree.node(node).head.labels {
            self.name.push(plan, label);
        }
        let guards = &plan.node_guards[node.0 as usize];
        (mark.inherited..mark.open).all(|at| self.admit(self.open[at], node, true))
            && guards.iter().all(|&guard| self.admit(guard, node, false))
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

    /// Something came out of the level: there is nothing to give reasons for.
    pub(crate) fn forget_facts(&mut self, mark: Mark) {
        self.because.all.truncate(mark.facts);
        self.because.from = mark.from;
    }

    /// Nothing came out of the level: leaves those of its facts that concern what is above it,
    /// and gives them back if they are all that it depends on.
    pub(crate) fn conclude(&mut self, mark: Mark) -> Option<&[Fact]> {
        let plan = self.plan;
        let facts = &mut self.because.all;
        let own = |fact: Fact| match fact {
            Fact::Has(tag) => {
                let labels = &self.name.labels()[mark.labels..];
                labels.iter().any(|label| plan.tags[*label as usize].contains(&tag))
            }
            Fact::Lacks(_) => false,
            Fact::Guard(guard) => self.begun[mark.begun..].contains(&guard),
        };
        facts[mark.facts..].sort_unstable();
        let mut kept = mark.facts;
        for at in mark.facts..facts.len() {
            let fact = facts[at];
            let is_new = kept == mark.facts || facts[kept - 1] != fact;
            if is_new && !own(fact) {
                facts[kept] = fact;
                kept += 1;
            }
        }
        facts.truncate(kept);
        let from = self.because.from;
        self.because.from = from.min(mark.from);
        (from > mark.labels).then_some(&self.because.all[mark.facts..])
    }

    /// Keeps a guard that is still open; false when it drops everything from here on.
    fn admit(&mut self, guard: Guard, node: NodeId, is_inherited: bool) -> bool {
        let plan = self.plan;
        let filter = match guard {
            Guard::Only(filter) | Guard::No(filter) => filter,
            Guard::When(condition) => plan.tree.conditions[condition as usize].filter,
        };
        let judge = Judge { plan, name: &self.name, ahead: plan.ahead(node) };
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
        if !applies {
            return true;
        }
        if is_inherited {
            self.because.all.push(Fact::Guard(number(index)));
        }
        judge.explain(filter, verdict, &mut self.because);
        let Guard::When(condition) = guard else { return false };
        let guards = &plan.condition_guards[condition as usize];
        guards.iter().all(|&inner| self.admit(inner, node, false))
    }
}
