//! The time of day is for people: it may jump, and no deadline may jump with it.

use crate::code::has_word;
use crate::finding::Finding;
use crate::tree::Tree;

const PLACES: [&str; 2] = ["crates/", "subtests/"];

/// What tells the time of day.
const CLOCKS: [&str; 4] = ["SystemTime::now", "Timestamp::now", "Zoned::now", "Local::now"];

/// Where it is told to people or guests, or compared with what was written down before a restart of the
/// host could have set any other clock back.
const MAY: [&str; 15] = [
    "crates/kvmtest/src/env/collect.rs",
    "crates/kvmtest/src/guest/clock.rs",
    "crates/kvmtest/src/lease/",
    "crates/kvmtest/src/monitor/transcript.rs",
    "crates/kvmtest/src/state/",
    "crates/kvmtest/src/vm/holding.rs",
    "crates/kvmtest/src/vm/launch.rs",
    "crates/kvmtest/src/vm/revive/",
    "crates/kvmtest/src/vm/transition.rs",
    "crates/runner/src/clock.rs",
    "crates/runner/src/film/",
    "crates/runner/src/history/",
    "crates/runner/src/known/",
    "crates/runner/src/report/",
    "subtests/rust/src/timedrift_",
];

/// Finds what asks for the time of day where deadlines might be made of it.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        let concerns = PLACES.iter().any(|place| file.path.starts_with(place));
        if !concerns || MAY.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (number, code) in file.product_lines() {
            if CLOCKS.iter().any(|clock| has_word(&code, clock)) {
                let message = "the time of day may jump: take `kvmtest::Deadline`, or `Instant`; \
                               where it is told to people, say so in the rule";
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::tidy::expect_lines;

    #[test]
    fn the_time_of_day_is_found() {
        let check = |path, text, expected| expect_lines(super::check, path, text, expected);
        check("crates/runner/src/x.rs", "fn f() {\n let a = SystemTime::now();\n}", &[2]);
        check("subtests/rust/src/x.rs", "jiff::Timestamp::now();", &[1]);
        check("crates/runner/src/clock.rs", "Timestamp::now();", &[]);
        check("crates/runner/src/x.rs", "Instant::now();", &[]);
        check("crates/runner/tests/x.rs", "#[cfg(test)]\nmod t { fn f() { Zoned::now(); } }", &[]);
    }
}
