//! `--shard I/N`: one part of the tests of several that together are all of them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::test::PlannedTest;
use crate::queue::Graph;

/// One part of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part, counted from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let text = text.escape_debug();
            format!("`{text}` is no part: `1/3` is the first of three, `3/3` the last one")
        };
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (part, of) = (number(part)?, number(of)?);
        if part == 0 || part > of { Err(wrong()) } else { Ok(Self { part, of }) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// How tests were divided.
pub(super) struct Division {
    /// The shard of each test, counted from 1.
    pub(super) shard_of: Vec<u32>,
    /// The same for every shard of the same division, and hardly ever for those of another one.
    pub(super) mark: String,
}

/// Divides tests into so many shards that take about the same time. What depends on each other
/// stays together. A test without a known time counts as much as the others on average.
///
/// The same tests with the same times are always divided in the same way.
pub(super) fn divide(
    tests: &[PlannedTest],
    time: impl Fn(&PlannedTest) -> Option<Duration>,
    shards: u32,
) -> Division {
    let graph = Graph::of(tests);
    let times: Vec<Option<Duration>> = tests.iter().map(time).collect();
    let known: Vec<Duration> = times.iter().copied().flatten().collect();
    let sum: Duration = known.iter().sum();
    let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
    let average = sum.checked_div(count).unwrap_or(Duration::from_secs(1));
    let mut units: Vec<Unit> = units(&graph)
        .into_iter()
        .map(|tests_of| Unit {
            time: tests_of.iter().map(|at| times[*at].unwrap_or(average)).sum(),
            name: tests_of.iter().map(|at| tests[*at].name.as_str()).min().unwrap_or_default(),
            tests: tests_of,
        })
        .collect();
    // The largest first, each to whom has least: the usual way to come close to the best.
    units.sort_by(|one, other| other.time.cmp(&one.time).then_with(|| one.name.cmp(other.name)));
    let mut loads = vec![Duration::ZERO; shards as usize];
    let mut shard_of = vec![0; tests.len()];
    for unit in units {
        let (least, load) = loads
            .iter_mut()
            .enumerate()
            .min_by_key(|(_, load)| **load)
            .expect("a division has one shard or more");
        *load += unit.time;
        for at in unit.tests {
            shard_of[at] = u32::try_from(least).unwrap_or(u32::MAX) + 1;
        }
    }
    let mark = mark(tests, &shard_of);
    Division { shard_of, mark }
}

/// Tests that stay together.
struct Unit<'a> {
    time: Duration,
    name: &'a str,
    tests: Vec<usize>,
}

fn units(graph: &Graph) -> Vec<Vec<usize>> {
    let families = graph.families.iter().map(|family| family.nodes.clone());
    let lonely = (0..graph.nodes.len()).filter(|node| graph.nodes[*node].family.is_none());
    let units = families.chain(lonely.map(|node| vec![node]));
    let tests = |nodes: Vec<usize>| nodes.into_iter().flat_map(|at| graph.nodes[at].tests.clone());
    units.map(|nodes| tests(nodes).collect()).collect()
}

/// Six digits that tell divisions apart.
fn mark(tests: &[PlannedTest], shard_of: &[u32]) -> String {
    let mut lines: Vec<String> = tests
        .iter()
        .zip(shard_of)
        .map(|(test, shard)| format!("{shard} {} {}\n", test.iteration, test.name))
        .collect();
    lines.sort_unstable();
    let mut digest = Sha256::new();
    for line in lines {
        digest.update(line);
    }
    let digest = digest.finalize();
    digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::test::example;

    #[test]
    fn a_part_is_understood_or_told_how() {
        assert_eq!("2/3".parse(), Ok(Shard { part: 2, of: 3 }));
        assert_eq!(Shard { part: 1, of: 1 }.to_string(), "1/1");
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "1.5/3"] {
            let error = text.parse::<Shard>().expect_err(text);
            assert!(error.contains("`1/3` is the first of three"), "{error}");
        }
    }

    fn seconds(test: &PlannedTest) -> Option<Duration> {
        test.expected
    }

    /// The names of each shard.
    fn divided(tests: &[PlannedTest], shards: u32) -> Vec<Vec<&str>> {
        let division = divide(tests, seconds, shards);
        let names = |shard| {
            let in_it = |at: &usize| division.shard_of[*at] == shard;
            (0..tests.len()).filter(in_it).map(|at| tests[at].name.as_str()).collect()
        };
        (1..=shards).map(names).collect()
    }

    fn timed(name: &str, dep: &str, seconds: u64) -> PlannedTest {
        PlannedTest { expected: Some(Duration::from_secs(seconds)), ..example(name, dep) }
    }

    #[test]
    fn shards_take_about_the_same_time() {
        let tests = [
            timed("a", "", 10),
            timed("b", "", 20),
            timed("c", "", 30),
            timed("d", "", 60),
            timed("e", "", 1),
        ];
        assert_eq!(divided(&tests, 2), [vec!["d", "e"], vec!["a", "b", "c"]]);
    }

    #[test]
    fn an_unknown_time_counts_as_the_average() {
        let tests = [timed("a", "", 10), timed("b", "", 30), example("c", ""), example("d", "")];
        assert_eq!(
            divided(&tests, 2),
            [vec!["b", "a"], vec!["c", "d"]].map(|mut names| {
                names.sort_unstable();
                names
            })
        );
    }

    #[test]
    fn what_depends_on_each_other_stays_together() {
        let tests = [
            timed("install", "", 50),
            timed("boot", "install", 1),
            timed("reboot", "boot", 1),
            timed("x", "", 30),
            timed("y", "", 30),
        ];
        assert_eq!(divided(&tests, 2), [vec!["install", "boot", "reboot"], vec!["x", "y"]]);
    }

    proptest! {
        #[test]
        fn every_test_is_in_one_shard_and_its_order_does_not_matter(
            times in prop::collection::vec((prop::option::of(0..100_u64), any::<u64>()), 0..20),
            shards in 1..6_u32,
        ) {
            let test = |(at, (time, _)): (usize, &(Option<u64>, u64))| PlannedTest {
                expected: time.map(Duration::from_secs),
                ..example(&format!("t{at}"), if at % 3 == 2 { "t1" } else { "" })
            };
            let tests: Vec<PlannedTest> = times.iter().enumerate().map(test).collect();
            let division = divide(&tests, seconds, shards);
            prop_assert!(division.shard_of.iter().all(|shard| (1..=shards).contains(shard)));
            let mut order: Vec<usize> = (0..tests.len()).collect();
            order.sort_by_key(|at| times[*at].1);
            let other: Vec<PlannedTest> = order.iter().map(|at| tests[*at].clone()).collect();
            let other = divide(&other, seconds, shards);
            prop_assert_eq!(&other.mark, &division.mark);
            for (at, from) in order.iter().enumerate() {
                prop_assert_eq!(other.shard_of[at], division.shard_of[*from]);
            }
        }
    }
}
