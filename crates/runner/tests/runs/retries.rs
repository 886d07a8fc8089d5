//! Tests that are tried again.

use kvmtest_runner::event::{TestFinished, TestStarted, What};

use crate::bench::{Bench, Outcome};

/// A script that fails, or passes, until it has run `times` times.
fn script(dir: &tempfile::TempDir, before: &str, times: usize, after: &str) -> String {
    let count = dir.path().join("count");
    let count = count.display();
    format!(
        "started; echo >> {count}; if [ $(wc -l < {count}) -lt {times} ]; then {before}; else {after}; fi"
    )
}

/// The tries: directory, whether it counts, whether it is flaky.
fn tries(outcome: &Outcome) -> Vec<(String, bool, bool)> {
    let started = |finished: &TestFinished, index: usize| -> TestStarted {
        let mut started = outcome.events.iter().filter_map(|what| match what {
            What::TestStarted(started) if started.test == finished.test => Some(started.clone()),
            _ => None,
        });
        started.nth(index).expect("it was started")
    };
    let tries = outcome.finished.iter().enumerate().map(|(index, finished)| {
        let started = started(finished, index);
        assert_eq!(started.attempt as usize, index + 1);
        (started.directory, !finished.retried, finished.flaky)
    });
    tries.collect()
}

#[test]
fn a_test_that_passes_at_a_later_try_is_flaky() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut bench = Bench::new().script(&script(&dir, "fail early", 3, "pass"));
    bench.settings.retries = 5;
    let outcome = bench.run();
    let expected = [
        ("001-script".to_owned(), false, false),
        ("001-script.2".to_owned(), false, false),
        ("001-script.3".to_owned(), true, true),
    ];
    assert_eq!(tries(&outcome), expected);
    let counts = outcome.end.counts;
    assert_eq!((counts.pass, counts.fail, counts.flaky, counts.total()), (1, 0, 1, 1));
}

#[test]
fn the_last_try_is_the_one_that_counts() {
    let mut bench = Bench::new().script("started; fail always");
    bench.settings.retries = 2;
    let outcome = bench.run();
    let counting: Vec<bool> = tries(&outcome).into_iter().map(|(_, counts, _)| counts).collect();
    assert_eq!(counting, [false, false, true]);
    assert_eq!((outcome.end.counts.fail, outcome.end.counts.flaky), (1, 0));
}

#[test]
fn a_test_can_be_run_until_it_fails() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut bench = Bench::new().script(&script(&dir, "pass", 4, "fail at-last"));
    bench.settings.repeat_until_fail = 9;
    let outcome = bench.run();
    assert_eq!(tries(&outcome).len(), 4);
    assert_eq!((outcome.end.counts.fail, outcome.end.counts.pass), (1, 0));
    let mut bench = Bench::new().script("started; pass");
    bench.settings.repeat_until_fail = 3;
    let outcome = bench.run();
    assert_eq!((tries(&outcome).len(), outcome.end.counts.pass), (3, 1));
    assert_eq!(outcome.end.counts.flaky, 0);
}

#[test]
fn no_try_is_lost_where_a_run_stops_between_two() {
    let mut bench = Bench::new().script("started; fail always").script("started; fail always");
    bench.settings.retries = 1;
    bench.settings.max_failures = Some(1);
    let outcome = bench.run();
    let counts = outcome.end.counts;
    assert_eq!(counts.total() + counts.not_run, 2, "{counts:?}");
}
