//! What stages do to the outcome of a test.

use std::sync::{Arc, Mutex};

use kvmtest::{Error, ErrorKind, Result};
use kvmtest_runner::Outcome;
use kvmtest_runner::Outcome::{Fail, Pass, Skip, Warn};
use kvmtest_runner::event::{Phase, What};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::stage::{Places, Stage};

use crate::bench::Bench;

type Answer<T> = Box<dyn FnMut() -> Result<T> + Send>;

/// A stage that answers as it is told, and remembers what it was asked.
struct Told {
    prepare: Answer<()>,
    clean: Answer<Vec<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stage for Told {
    fn prepare(&mut self, test: &PlannedTest, places: &Places) -> Result<()> {
        assert!(places.results.is_dir() && places.scratch.is_dir());
        self.asked.lock().expect("no panic").push(format!("prepare {}", test.number));
        (self.prepare)()
    }

    fn clean(&mut self, test: &PlannedTest, _: &Places, failed: bool) -> Result<Vec<String>> {
        let mut asked = self.asked.lock().expect("no panic");
        asked.push(format!("clean {} {failed}", test.number));
        (self.clean)()
    }

    fn finish(&mut self) -> Result<Vec<String>> {
        self.asked.lock().expect("no panic").push("finish".into());
        Ok(Vec::new())
    }
}

/// Runs a script between these answers; checks the outcome, part of the message, and the asking.
#[track_caller]
fn check(
    prepare: impl Fn() -> Result<()> + Send + 'static,
    script: &str,
    clean: impl Fn() -> Result<Vec<String>> + Send + 'static,
    (outcome, part): (Outcome, &str),
    expect: &[&str],
) {
    let asked = Arc::default();
    let stage =
        Told { prepare: Box::new(prepare), clean: Box::new(clean), asked: Arc::clone(&asked) };
    let run = Bench::new().script(script).stage(stage).run();
    run.check(outcome, part);
    assert_eq!(*asked.lock().expect("no panic"), expect);
}

fn refused(kind: ErrorKind) -> impl Fn() -> Result<()> {
    move || Err(Error::new(kind, "so the stage says"))
}

fn messy(kind: ErrorKind) -> impl Fn() -> Result<Vec<String>> {
    move || Err(Error::new(kind, "so the stage says"))
}

const PASS: &str = "started; pass";
const FAIL: &str = "started; fail badly";

#[test]
fn what_was_prepared_is_cleaned_however_it_went() {
    let clean = || Ok(Vec::new());
    check(|| Ok(()), PASS, clean, (Pass, ""), &["prepare 1", "clean 1 false", "finish"]);
    check(|| Ok(()), FAIL, clean, (Fail, "badly"), &["prepare 1", "clean 1 true", "finish"]);
    let asked = &["prepare 1", "clean 1 true", "finish"];
    check(refused(ErrorKind::VmCreate), PASS, clean, (Outcome::Error, "so the stage"), asked);
    let asked = &["prepare 1", "clean 1 false", "finish"];
    check(refused(ErrorKind::TestSkip), PASS, clean, (Skip, "so the stage says"), asked);
    let asked = &["prepare 1", "clean 1 true", "finish"];
    check(|| panic!("a slip"), PASS, clean, (Outcome::Error, "panicked: a slip"), asked);
}

#[test]
fn cleaning_up_fails_only_a_test_that_passed() {
    let asked = &["prepare 1", "clean 1 false", "finish"];
    let passed = |kind, outcome| {
        check(|| Ok(()), PASS, messy(kind), (outcome, "so the stage says"), asked);
    };
    passed(ErrorKind::Image, Outcome::Error);
    passed(ErrorKind::TestFail, Fail);
    passed(ErrorKind::TestWarn, Warn);
    let asked = &["prepare 1", "clean 1 true", "finish"];
    let both = (Fail, "badly; cleaning up failed as well: so the stage says");
    check(|| Ok(()), FAIL, messy(ErrorKind::Image), both, asked);
    let asked = &["prepare 1", "clean 1 false", "finish"];
    check(|| Ok(()), PASS, || Ok(vec!["a leak".into()]), (Warn, ""), asked);
}

#[test]
fn tests_run_in_their_order_and_one_failure_stops_nothing() {
    let asked = Arc::default();
    let stage = Told {
        prepare: Box::new(|| Ok(())),
        clean: Box::new(|| Ok(Vec::new())),
        asked: Arc::clone(&asked),
    };
    let bench = Bench::new().script(PASS).script(FAIL).script(PASS).stage(stage);
    let outcome = bench.run();
    assert_eq!((outcome.end.counts.pass, outcome.end.counts.fail), (2, 1));
    assert!(outcome.complete && !outcome.end.interrupted);
    let asked = asked.lock().expect("no panic");
    let order: Vec<&str> = asked.iter().map(String::as_str).collect();
    assert_eq!(
        order,
        [
            "prepare 1",
            "clean 1 false",
            "prepare 2",
            "clean 2 true",
            "prepare 3",
            "clean 3 false",
            "finish"
        ]
    );
}

#[test]
fn results_that_cannot_be_written_stop_nothing_and_are_told_of_once() {
    let bench = Bench::new().script(PASS).script(PASS);
    let results = bench.results.dir().to_owned();
    // A directory where `result.json` should be stands for a disk without room.
    let outcome = bench.run_with(move |what, _| {
        if let What::PhaseStarted { test, phase: Phase::Run } = what {
            let dir = results.join(format!("00{test}-script/result.json"));
            std::fs::create_dir(dir).expect("made");
        }
    });
    assert_eq!(outcome.end.counts.pass, 2);
    assert!(!outcome.complete);
    let remarks: Vec<_> = outcome
        .events
        .iter()
        .filter(|what| matches!(what, What::Remark { message } if message.contains("result.json")))
        .collect();
    assert_eq!(remarks.len(), 1);
}

#[test]
fn a_results_directory_that_vanishes_costs_its_tests_only() {
    let bench = Bench::new().script(PASS).script(PASS);
    let results = bench.results.dir().to_owned();
    let outcome = bench.run_with(move |what, _| {
        if let What::PhaseStarted { test: 1, phase: Phase::Run } = what {
            std::fs::remove_dir_all(&results).expect("removed");
        }
    });
    assert_eq!(outcome.finished.len(), 2);
    assert_eq!(outcome.finished[0].outcome, Pass);
    assert_eq!(outcome.finished[1].outcome, Outcome::Error);
    assert!(outcome.finished[1].message.contains("cannot make the directory"));
    assert!(!outcome.complete);
}

#[test]
fn a_scratch_directory_goes_with_its_test() {
    let bench = Bench::new().script(
        r#"started
        dir=$(sed 's/.*"scratch_dir":"\([^"]*\)".*/\1/')
        touch "$dir/mine" || fail 'no scratch'
        pass"#,
    );
    let scratch = bench.settings.scratch.clone();
    let outcome = bench.run_with(move |what, _| {
        if let What::RunFinished { .. } = what {
            assert_eq!(scratch.read_dir_utf8().expect("listed").count(), 0);
        }
    });
    outcome.check(Pass, "");
}
