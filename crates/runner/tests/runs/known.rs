//! Failures that are expected.

use camino::Utf8PathBuf;
use kvmtest_runner::known::Known;
use kvmtest_runner::plan::PlannedTest;

use crate::bench::{Bench, Outcome};

/// Runs scripts called `a`, `b` …; entries are `filter until`.
fn run(entries: &[&str], retries: u32, scripts: &[&str]) -> Outcome {
    let dir = tempfile::tempdir().expect("a directory");
    let file = Utf8PathBuf::from_path_buf(dir.path().join("known.toml")).expect("UTF-8");
    let entry = |text: &&str| {
        let (filter, until) = text.split_once(' ').expect("filter and day");
        format!("[[failure]]\ntests = '{filter}'\nreason = 'ours'\nexpires = {until}\n")
    };
    std::fs::write(&file, entries.iter().map(entry).collect::<Vec<_>>().concat()).expect("written");
    let mut bench = Bench::new();
    let mut tests = Vec::new();
    for (script, name) in scripts.iter().zip('a'..) {
        bench = bench.script(&format!("started; {script}")).with(|test| {
            test.name = name.to_string();
            test.params.set("abort_on_error", if script.ends_with("abort") { "yes" } else { "no" });
            tests.push(PlannedTest { params: test.params.clone(), ..test.clone() });
        });
    }
    let today = "2026-06-15".parse().expect("a day");
    bench.settings.known = Known::read(Some(&file), &tests, today).expect("read");
    bench.settings.retries = retries;
    bench.run()
}

#[test]
fn a_known_failure_is_told_of_and_fails_nothing() {
    let outcome = run(&["a 2027-01-01"], 0, &["fail here", "fail there", "pass"]);
    let known: Vec<_> = outcome
        .finished
        .iter()
        .map(|finished| finished.known.as_ref().map(|known| known.reason.as_str()))
        .collect();
    assert_eq!(known, [Some("ours"), None, None]);
    let counts = outcome.end.counts;
    assert_eq!((counts.known, counts.fail, counts.pass, counts.total()), (1, 1, 1, 3));
    assert_eq!((outcome.end.unmet, outcome.remarks().len()), (0, 0));
}

#[test]
fn an_entry_that_is_not_needed_any_more_is_told_of_at_the_end() {
    let outcome = run(&["a 2027-01-01", "b 2026-01-01"], 0, &["pass", "fail here"]);
    assert_eq!(outcome.end.unmet, 2);
    let remarks = outcome.remarks();
    assert!(remarks[0].contains("known.toml:1: `a` does not fail any more"), "{remarks:?}");
    assert!(remarks[1].contains("known.toml:5: ") && remarks[1].contains("expired"), "{remarks:?}");
    assert_eq!((outcome.end.counts.known, outcome.end.counts.fail), (0, 1));
}

#[test]
fn only_the_try_that_counts_is_known() {
    let outcome = run(&["a 2027-01-01"], 1, &["fail here"]);
    let known: Vec<bool> =
        outcome.finished.iter().map(|finished| finished.known.is_some()).collect();
    assert_eq!(known, [false, true]);
    assert_eq!((outcome.end.counts.known, outcome.end.unmet), (1, 0));
}

#[test]
fn a_known_failure_ends_no_run() {
    let outcome = run(&["a 2027-01-01"], 0, &["fail abort", "pass"]);
    assert_eq!((outcome.end.counts.known, outcome.end.counts.pass), (1, 1));
    assert_eq!(outcome.remarks(), [""; 0]);
    let expired = run(&["a 2026-01-01"], 0, &["fail abort", "pass"]);
    assert_eq!((expired.end.counts.fail, expired.end.counts.not_run), (1, 1));
    assert!(expired.remarks()[0].contains("`abort_on_error = yes`"), "{:?}", expired.remarks());
}
