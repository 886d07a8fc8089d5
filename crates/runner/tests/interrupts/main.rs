//! Interrupts. They are a matter of the whole process, so these tests have one to themselves, and
//! run one after another.

#[path = "../bench/mod.rs"]
mod bench;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kvmtest::{Deadline, Result};
use kvmtest_runner::Outcome::{Interrupted, Pass};
use kvmtest_runner::dispatch::Happening;
use kvmtest_runner::event::{Phase, What};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::stage::{Places, Stage};

use bench::Bench;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stage that waits, for longer than anybody has time, in one of its phases.
struct Waits(Phase);

impl Waits {
    fn in_phase(&self, phase: Phase) -> Result<()> {
        if self.0 == phase {
            let (silent, _other) = std::os::unix::net::UnixStream::pair()?;
            let deadline = Deadline::after(Duration::from_secs(600));
            kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&silent)], deadline)?;
        }
        Ok(())
    }
}

impl Stage for Waits {
    fn prepare(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        self.in_phase(Phase::Prepare)
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        assert!(!kvmtest::interrupt::is_requested(), "cleaning up has to be able to wait");
        self.in_phase(Phase::Clean)?;
        Ok(vec!["cleaned".into()])
    }
}

/// Sends the signal when `phase` of the first test has begun, and `more` signals after it.
fn interrupt_at(
    phase: Phase,
    more: usize,
) -> impl FnMut(&What, &std::sync::mpsc::Sender<Happening>) + Send + 'static {
    let mut sent = false;
    move |what, sender| {
        let here = match what {
            // Once the child has said so, its trap is set.
            What::Note { test: 1, .. } => phase == Phase::Run,
            What::PhaseStarted { test: 1, phase: begun } => *begun == phase && phase != Phase::Run,
            _ => false,
        };
        if here && !std::mem::replace(&mut sent, true) {
            for _ in 0..=more {
                sender.send(Happening::Signal).expect("the dispatcher listens");
            }
        }
    }
}

const OBEDIENT: &str = "trap interrupted TERM; started; warn ready; while :; do sleep 0.01; done";
const DEAF: &str = "trap '' TERM; started; warn ready; while :; do sleep 0.01; done";

#[test]
fn the_first_interrupt_ends_a_running_child_and_cleans_up() {
    let _alone = alone();
    for script in [OBEDIENT, DEAF] {
        let mut bench =
            Bench::new().script(script).script("started; pass").stage(Waits(Phase::Run));
        if script == DEAF {
            bench.settings.grace = Duration::from_millis(100);
        }
        let outcome = bench.run_with(interrupt_at(Phase::Run, 0));
        outcome.check(Interrupted, "");
        assert_eq!(outcome.phases(), [Phase::Prepare, Phase::Run, Phase::Clean]);
        assert!(outcome.end.interrupted);
        assert_eq!(outcome.end.counts.not_run, 1);
        let cleaned = |what: &What| {
            matches!(what, What::Note { note: kvmtest::test::Note::Warning { message }, .. }
                if message == "cleaned")
        };
        assert!(outcome.events.iter().any(cleaned));
    }
}

#[test]
fn the_first_interrupt_wakes_a_preparation_that_waits() {
    let _alone = alone();
    let bench = Bench::new().script("started; pass").stage(Waits(Phase::Prepare));
    let outcome = bench.run_with(interrupt_at(Phase::Prepare, 0));
    outcome.check(Interrupted, "interrupted");
    assert_eq!(outcome.phases(), [Phase::Prepare, Phase::Clean]);
}

#[test]
fn an_interrupt_while_cleaning_up_lets_the_test_keep_its_outcome() {
    let _alone = alone();
    let bench =
        Bench::new().script("started; pass").script("started; pass").stage(Waits(Phase::Run));
    let outcome = bench.run_with(interrupt_at(Phase::Clean, 0));
    assert_eq!(outcome.only().outcome, kvmtest_runner::Outcome::Warn, "it warned `cleaned`");
    assert_eq!(outcome.end.counts.not_run, 1);
}

#[test]
fn the_second_interrupt_leaves_at_once() {
    let _alone = alone();
    let bench = Bench::new().script("started; pass").stage(Waits(Phase::Clean));
    let outcome = bench.run_with(interrupt_at(Phase::Clean, 1));
    outcome.check(Pass, "");
    kvmtest::interrupt::clear();
    let bench = Bench::new().script(DEAF).stage(Waits(Phase::Run));
    let outcome = bench.run_with(interrupt_at(Phase::Run, 1));
    outcome.check(Interrupted, "");
    assert!(outcome.end.interrupted);
    kvmtest::interrupt::clear();
}
