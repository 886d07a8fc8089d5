//! Which guards are alike: `no Windows` stands in many places, and means the same in each.

use crate::plan::{Guard, Plan};
use crate::tree::filter::Term;
use crate::tree::label::number;
use rustc_hash::FxHashMap;

/// For each guard a number that all have that are alike.
pub(crate) struct Alike {
    numbers: Vec<u32>,
}

impl Alike {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut alike = Self { numbers: vec![0; plan.guard_count()] };
        let mut known = FxHashMap::default();
        // A condition comes after those inside of it, and after its filters.
        for &guard in plan.condition_guards.iter().chain(&plan.node_guards).flatten() {
            alike.add(plan, guard, &mut known);
        }
        for &filter in plan.joins.iter().flatten() {
            alike.add(plan, Guard::Only(filter), &mut known);
        }
        alike
    }

    pub(crate) fn number(&self, plan: &Plan, guard: Guard) -> u32 {
        self.numbers[plan.number(guard)]
    }

    fn add(&mut self, plan: &Plan, guard: Guard, known: &mut FxHashMap<Box<[u32]>, u32>) {
        const WORD: u32 = u32::MAX;
        let mut text = vec![match guard {
            Guard::Only(_) => 0,
            Guard::No(_) => 1,
            Guard::When(condition) => {
                2 + u32::from(plan.tree.conditions[condition as usize].negated)
            }
        }];
        for word in plan.tree.filters.words(plan.filter(guard)) {
            text.push(WORD);
            text.extend(word.iter().flat_map(|term| match *term {
                Term::Tag(tag) => [0, tag],
                Term::Sequence(sequence) => [1, sequence],
            }));
        }
        if let Guard::When(condition) = guard {
            text.push(WORD);
            let inner = &plan.condition_guards[condition as usize];
            text.extend(inner.iter().map(|&guard| self.number(plan, guard)));
        }
        let next = number(known.len());
        self.numbers[plan.number(guard)] = *known.entry(text.into()).or_insert(next);
    }
}
