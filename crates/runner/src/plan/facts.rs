//! What `--list-only` tells of the tests of a run.

use std::time::Duration;

use super::test::PlannedTest;
use crate::queue::{Capacity, Graph, Needs};

/// What is known of a test before it runs, whichever worker will run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its number.
    pub number: u32,
    /// The full name.
    pub name: String,
    /// The short name.
    pub shortname: String,
    /// The subtest; empty where it names none.
    pub subtest: String,
    /// Which repetition it is, counted from 1.
    pub iteration: u32,
    /// What it takes of the host.
    pub used: Capacity,
    /// Whether nothing else may run meanwhile.
    pub alone: bool,
    /// How long it takes, by earlier runs.
    pub expected: Option<Duration>,
    /// The short names of the tests of this run that have to have passed before.
    pub after: Vec<String>,
    /// Why it cannot be run.
    pub broken: Option<String>,
}

/// What there is to tell of `tests`, in their order.
pub fn facts(tests: &[PlannedTest]) -> Vec<Fact> {
    let graph = Graph::of(tests);
    let name = |node: &usize| tests[graph.nodes[*node].tests[0]].shortname.clone();
    let fact = |(at, test): (usize, &PlannedTest)| {
        let needs = Needs::read(&test.params).unwrap_or_default();
        Fact {
            number: test.number,
            name: test.name.clone(),
            shortname: test.shortname.clone(),
            subtest: test.subtest.clone(),
            iteration: test.iteration,
            used: needs.used,
            alone: needs.alone,
            expected: test.expected,
            after: graph.nodes[graph.node_of[at]].needs.iter().map(name).collect(),
            broken: test.program.as_ref().err().cloned(),
        }
    };
    tests.iter().enumerate().map(fact).collect()
}
