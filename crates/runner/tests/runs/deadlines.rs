//! Deadlines of phases and of runs, and what is told of slow ones.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kvmtest::{Context, Deadline, Result};
use kvmtest_runner::Outcome::{Error, Fail, Interrupted};
use kvmtest_runner::event::{Phase, What};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::stage::{Places, Stage};

use crate::bench::{Bench, Outcome};

const PASS: &str = "started; pass";
const FAIL: &str = "started; fail badly";
const WAITS: &str = "trap interrupted TERM; started; while :; do sleep 0.01; done";

/// A stage that waits, for longer than anybody has time, in some of its phases.
struct Waits {
    phases: &'static [Phase],
    abandoned: Arc<Mutex<usize>>,
}

impl Waits {
    fn in_phase(&self, phase: Phase) -> Result<()> {
        if !self.phases.contains(&phase) {
            return Ok(());
        }
        let _doing = kvmtest::doing::begin("waiting for the guest");
        let (silent, _other) = std::os::unix::net::UnixStream::pair()?;
        let deadline = Deadline::after(Duration::from_secs(600));
        kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&silent)], deadline)
            .context("starting the VM")
            .map(drop)
    }
}

impl Stage for Waits {
    fn prepare(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        self.in_phase(Phase::Prepare)
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        self.in_phase(Phase::Clean)?;
        Ok(Vec::new())
    }

    fn abandon(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        assert!(!kvmtest::interrupt::is_requested(), "it has to be able to wait");
        *self.abandoned.lock().expect("no panic") += 1;
        Ok(())
    }
}

fn run(phases: &'static [Phase], script: &str, key: &str) -> (Outcome, usize) {
    let abandoned = Arc::default();
    let stage = Waits { phases, abandoned: Arc::clone(&abandoned) };
    let outcome = Bench::new().script(script).param(key, "50ms").stage(stage).run();
    let count = *abandoned.lock().expect("no panic");
    (outcome, count)
}

#[test]
fn a_preparation_that_takes_too_long_is_interrupted_and_cleaned_up() {
    let (outcome, abandoned) = run(&[Phase::Prepare], PASS, "prepare_timeout");
    outcome.check(Error, "preparing did not end within 50ms (`prepare_timeout`)");
    assert_eq!(outcome.only().contexts, ["preparing", "starting the VM"]);
    assert_eq!(outcome.only().kind.as_deref(), Some("phase-timeout"));
    assert_eq!(outcome.phases(), [Phase::Prepare, Phase::Clean]);
    assert_eq!(abandoned, 0);
}

#[test]
fn cleaning_up_that_takes_too_long_is_interrupted_and_done_the_short_way() {
    let (outcome, abandoned) = run(&[Phase::Clean], PASS, "clean_timeout");
    outcome.check(Error, "cleaning up did not end within 50ms (`clean_timeout`)");
    assert_eq!(abandoned, 1);
    let (outcome, abandoned) = run(&[Phase::Clean], FAIL, "clean_timeout");
    outcome.check(Fail, "badly; cleaning up failed as well: cleaning up did not end within 50ms");
    assert_eq!(abandoned, 1);
}

#[test]
fn a_timeout_of_one_phase_is_none_of_another() {
    let stage = Waits { phases: &[Phase::Prepare, Phase::Clean], abandoned: Arc::default() };
    let outcome = Bench::new()
        .script(PASS)
        .param("prepare_timeout", "50ms")
        .param("clean_timeout", "60ms")
        .stage(stage)
        .run();
    outcome.check(Error, "within 50ms (`prepare_timeout`); cleaning up failed as well: ");
    outcome.check(Error, "within 60ms (`clean_timeout`)");
}

#[test]
fn a_time_that_is_none_is_an_error_before_anything_runs() {
    for (key, value) in [
        ("prepare_timeout", "soon"),
        ("clean_timeout", "-1"),
        ("slow_after", "x"),
        ("stall_factor", "0"),
        ("stall_factor", "1.5"),
        ("used_cpus", "two"),
    ] {
        let outcome = Bench::new().script(PASS).param(key, value).run();
        outcome.check(Error, &format!("`{key}` must be"));
        assert!(outcome.phases().is_empty());
    }
}

#[test]
fn a_run_whose_time_is_up_ends_what_runs_and_starts_no_more() {
    let mut bench = Bench::new().workers(2);
    for _ in 0..4 {
        bench = bench.script(WAITS);
    }
    bench.settings.run_timeout = Some(Duration::from_secs(3));
    let outcome = bench.run();
    assert!(outcome.end.interrupted);
    assert_eq!((outcome.end.counts.interrupted, outcome.end.counts.not_run), (2, 2));
    for finished in &outcome.finished {
        assert_eq!(finished.outcome, Interrupted);
        assert!(finished.message.contains("the run's time of 3s was up"), "{finished:?}");
        assert_eq!(finished.contexts, ["waiting"]);
    }
    let remarks = outcome.remarks();
    // In between it may say how much longer it was, on a host that has too much to do.
    let is_told = remarks.iter().any(|remark| {
        remark.starts_with("the run's time of 3s was up") && remark.ends_with(": cleaning up")
    });
    assert!(is_told, "{remarks:?}");
}

#[test]
fn a_run_whose_time_is_up_wakes_a_preparation() {
    let stage = Waits { phases: &[Phase::Prepare], abandoned: Arc::default() };
    let mut bench = Bench::new().script(PASS).script(PASS).stage(stage);
    bench.settings.run_timeout = Some(Duration::from_millis(50));
    let outcome = bench.run();
    outcome.check(Interrupted, "the run's time of 50ms was up");
    assert_eq!(outcome.end.counts.not_run, 1);
}

#[test]
fn a_slow_phase_is_told_of_at_growing_distances() {
    let mut bench =
        Bench::new().script(WAITS).param("slow_after", "20ms").param("test_timeout", "1");
    bench.settings.timeouts.prepare = Duration::from_secs(60);
    let outcome = bench.run();
    let slow = outcome.events.iter().filter_map(|what| match what {
        What::Slow { phase: Phase::Run, after_ms, .. } => Some(*after_ms),
        _ => None,
    });
    let slow: Vec<u64> = slow.collect();
    // 20, 40, 80, 160 …; a host that has too much to do may leave some out.
    assert!(!slow.is_empty());
    assert!(slow.iter().enumerate().all(|(index, ms)| *ms >= 20 << index), "{slow:?}");
}

#[test]
fn a_stage_says_what_it_waits_for_too() {
    let stage = Waits { phases: &[Phase::Prepare], abandoned: Arc::default() };
    let outcome = Bench::new()
        .script(PASS)
        .param("prepare_timeout", "3")
        .param("slow_after", "2")
        .stage(stage)
        .run();
    let waiting = outcome.events.iter().find_map(|what| match what {
        What::Slow { phase: Phase::Prepare, waiting_for, .. } => Some(waiting_for.as_str()),
        _ => None,
    });
    assert_eq!(waiting, Some("waiting for the guest"));
}
