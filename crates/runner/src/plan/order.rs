//! In which order tests run.

use std::collections::HashSet;
use std::time::Duration;

use super::shuffle::shuffled;
use super::test::PlannedTest;
use crate::queue::Graph;

/// In which order tests run, as far as dependencies allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sequence {
    /// As the configuration has them.
    #[default]
    Configuration,
    /// By chance; the same seed gives the same order of the same tests.
    Shuffled(u64),
    /// What takes longest first, together with what waits for it, so that several workers end at
    /// about the same time. What is not known to take longer than others keeps its place.
    SlowestFirst,
}

/// Puts tests in order. Those whose full names are `first` come before the others, with what
/// they depend on, and are marked as urgent.
pub(super) fn order(
    mut tests: Vec<PlannedTest>,
    sequence: Sequence,
    first: &HashSet<String>,
) -> Vec<PlannedTest> {
    let graph = Graph::of(&tests);
    for node in urgent(&graph, |at| first.contains(&tests[at].name)) {
        for &at in &graph.nodes[node].tests {
            tests[at].urgent = true;
        }
    }
    let places = places(&tests, sequence, &graph);
    let rank = |at: usize| (!tests[at].urgent, places[at]);
    let order = graph.in_order(rank);
    let mut tests: Vec<Option<PlannedTest>> = tests.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| tests[at].take()).collect()
}

/// The place of each test, as if nothing depended on anything.
fn places(tests: &[PlannedTest], sequence: Sequence, graph: &Graph) -> Vec<usize> {
    let inverse = |order: Vec<usize>| {
        let mut places = vec![0; order.len()];
        for (place, at) in order.into_iter().enumerate() {
            places[at] = place;
        }
        places
    };
    match sequence {
        Sequence::Configuration => (0..tests.len()).collect(),
        Sequence::Shuffled(seed) => shuffled(tests.len(), seed),
        Sequence::SlowestFirst => {
            let times = whole_times(tests, graph);
            let mut order: Vec<usize> = (0..tests.len()).collect();
            order.sort_by_key(|at| std::cmp::Reverse(times[*at]));
            inverse(order)
        }
    }
}

/// How long each test takes with the longest chain of tests that wait for it. A test whose time is
/// not known takes as long as half of the others do.
fn whole_times(tests: &[PlannedTest], graph: &Graph) -> Vec<Duration> {
    let mut known: Vec<Duration> = tests.iter().filter_map(|test| test.expected).collect();
    known.sort_unstable();
    let usual = known.get(known.len() / 2).copied().unwrap_or_default();
    let time = |at: &usize| tests[*at].expected.unwrap_or(usual);
    let mut chains = vec![Duration::ZERO; graph.nodes.len()];
    let (sorted, _) = graph.sorted();
    for node in sorted.into_iter().rev() {
        let waiting = &graph.nodes[node].dependants;
        let own = graph.nodes[node].tests.iter().map(time).max().unwrap_or_default();
        chains[node] = own + waiting.iter().map(|at| chains[*at]).max().unwrap_or_default();
    }
    let longest_of_waiting = |at: &usize| {
        let waiting = &graph.nodes[graph.node_of[*at]].dependants;
        waiting.iter().map(|node| chains[*node]).max().unwrap_or_default()
    };
    (0..tests.len()).map(|at| time(&at) + longest_of_waiting(&at)).collect()
}

/// The nodes of which a test is wanted first, and all that they need.
fn urgent(graph: &Graph, is_first: impl Fn(usize) -> bool) -> HashSet<usize> {
    let mut open: Vec<usize> = (0..graph.nodes.len())
        .filter(|node| graph.nodes[*node].tests.iter().any(|at| is_first(*at)))
        .collect();
    let mut urgent = HashSet::new();
    while let Some(node) = open.pop() {
        if urgent.insert(node) {
            open.extend(&graph.nodes[node].needs);
        }
    }
    urgent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::test::example;

    #[track_caller]
    fn check(tests: &[(&str, &str, u64)], sequence: Sequence, first: &[&str], expect: &[&str]) {
        let test = |(name, dep, seconds): &(&str, &str, u64)| PlannedTest {
            expected: (*seconds > 0).then(|| Duration::from_secs(*seconds)),
            ..example(name, dep)
        };
        let first = first.iter().map(|name| (*name).to_owned()).collect();
        let ordered = order(tests.iter().map(test).collect(), sequence, &first);
        let names: Vec<&str> = ordered.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, expect);
    }

    const TESTS: &[(&str, &str, u64)] =
        &[("a", "c", 5), ("b", "", 10), ("c", "", 20), ("d", "", 0), ("e", "", 1)];

    #[test]
    fn the_order_of_the_configuration_gives_way_to_dependencies_only() {
        check(TESTS, Sequence::Configuration, &[], &["b", "c", "a", "d", "e"]);
    }

    #[test]
    fn what_comes_first_brings_what_it_depends_on() {
        check(TESTS, Sequence::Configuration, &["a", "e"], &["c", "a", "e", "b", "d"]);
        check(TESTS, Sequence::Configuration, &["missing"], &["b", "c", "a", "d", "e"]);
    }

    #[test]
    fn the_longest_chain_comes_first() {
        check(TESTS, Sequence::SlowestFirst, &[], &["c", "b", "d", "a", "e"]);
        let chain = &[("a", "", 9), ("b", "", 2), ("c", "b", 8), ("d", "", 3)];
        check(chain, Sequence::SlowestFirst, &[], &["b", "a", "c", "d"]);
        let unknown = &[("a", "", 0), ("b", "", 0), ("c", "", 0)];
        check(unknown, Sequence::SlowestFirst, &[], &["a", "b", "c"]);
    }

    #[test]
    fn a_shuffled_order_respects_dependencies() {
        for seed in 0..50 {
            let tests: Vec<PlannedTest> =
                TESTS.iter().map(|(name, dep, _)| example(name, dep)).collect();
            let run = |tests| order(tests, Sequence::Shuffled(seed), &HashSet::new());
            let names = |tests: Vec<PlannedTest>| {
                run(tests).into_iter().map(|test| test.name).collect::<Vec<_>>()
            };
            let one = names(tests.clone());
            assert_eq!(one, names(tests), "the same seed gives the same order");
            let place = |name| one.iter().position(|other| other == name).expect("it is there");
            assert!(place("c") < place("a"), "{one:?}");
        }
    }
}
