//! Interrupts. They are a matter of the whole process, so these tests have one to themselves, and
//! run one after another.

#[path = "../bench/mod.rs"]
mod bench;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kvmtest::{Deadline, Result};
use kvmtest_runner::Outcome::{Fail, Interrupted, Pass};
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

/// The stall that the kernel reports is a matter of the whole process, too.
#[test]
fn a_deadline_is_put_off_where_the_host_is_starved_and_the_report_says_so() {
    let _alone = alone();
    let keep = tempfile::tempdir().expect("a directory");
    let path = camino::Utf8Path::from_path(keep.path()).expect("UTF-8").join("pressure");
    let pressure = |seconds: u64| {
        let text =
            format!("some avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", seconds * 1_000_000);
        std::fs::write(&path, text).expect("written");
    };
    let run = |factor: &str| {
        pressure(0);
        kvmtest::stall::read_from(&path);
        let starved = path.clone();
        let mut bench =
            Bench::new().script(DEAF).param("test_timeout", "1").param("stall_factor", factor);
        bench.settings.grace = Duration::from_millis(100);
        bench.run_with(move |what, _| {
            if let What::Note { .. } = what {
                // A stall of an hour, as soon as the subtest runs.
                std::fs::write(&starved, "some avg10=0 total=3600000000\n").expect("written");
            }
        })
    };
    let outcome = run("3");
    outcome.check(Fail, "did not end within 1s (`test_timeout`)");
    outcome.check(Fail, "and 2s more because the host was starved");
    let only = outcome.only();
    assert!(only.stalled_ms >= 1990, "{only:?}");
    assert!(only.duration_ms >= 2990, "{only:?}");

    let outcome = run("1");
    outcome.check(Fail, "did not end within 1s (`test_timeout`)");
    assert!(!outcome.only().message.contains("starved"));
    assert_eq!(outcome.only().stalled_ms, 0);

    pressure(0);
    kvmtest::stall::read_from(&path);
    let starved = path.clone();
    let mut bench = Bench::new().script(DEAF);
    bench.settings.run_timeout = Some(Duration::from_secs(1));
    bench.settings.grace = Duration::from_millis(100);
    let outcome = bench.run_with(move |what, _| {
        if let What::Note { .. } = what {
            std::fs::write(&starved, "some avg10=0 total=2500000\n").expect("written");
        }
    });
    let words = "the run's time of 1s was up, and 2s more because the host was starved";
    outcome.check(Interrupted, words);
    assert_eq!(outcome.remarks(), [format!("{words}: cleaning up")]);
    pressure(0);
    kvmtest::stall::read_from(camino::Utf8Path::new("/nowhere"));
}

/// Several children, one of them deaf, and a stage that waits: all end by one signal.
#[test]
fn the_first_interrupt_ends_what_all_workers_do() {
    let _alone = alone();
    let mut bench = Bench::new()
        .script(OBEDIENT)
        .script(DEAF)
        .script("started; pass")
        .script("started; pass")
        .stage(Waits(Phase::Run))
        .workers(2);
    bench.settings.grace = Duration::from_millis(100);
    let mut ready = 0;
    let outcome = bench.run_with(move |what, sender| {
        let is_ready = matches!(what, What::Note { note: kvmtest::test::Note::Warning { message }, .. }
            if message == "ready");
        ready += usize::from(is_ready);
        if is_ready && ready == 2 {
            sender.send(Happening::Signal).expect("the dispatcher listens");
        }
    });
    assert!(outcome.end.interrupted);
    assert_eq!((outcome.end.counts.interrupted, outcome.end.counts.not_run), (2, 2));
    let phases = outcome.phases();
    assert_eq!(phases.iter().filter(|phase| **phase == Phase::Clean).count(), 2, "{phases:?}");
}

#[test]
fn the_second_interrupt_kills_what_all_workers_run() {
    let _alone = alone();
    let deaf = "trap '' TERM; started; warn $$; while :; do sleep 0.01; done";
    let bench = Bench::new().script(deaf).script(deaf).stage(Waits(Phase::Run)).workers(2);
    let scratch = bench.settings.scratch.clone();
    let mut ready = 0;
    let outcome = bench.run_with(move |what, sender| {
        if let What::RunFinished { .. } = what {
            assert_eq!(scratch.read_dir_utf8().expect("listed").count(), 0);
        }
        ready += usize::from(matches!(what, What::Note { .. }));
        if matches!(what, What::Note { .. }) && ready == 2 {
            for _ in 0..2 {
                sender.send(Happening::Signal).expect("the dispatcher listens");
            }
        }
    });
    kvmtest::interrupt::clear();
    assert_eq!(outcome.end.counts.interrupted, 2);
    let pids: Vec<&String> = outcome
        .events
        .iter()
        .filter_map(|what| match what {
            What::Note { note: kvmtest::test::Note::Warning { message }, .. } => Some(message),
            _ => None,
        })
        .collect();
    assert_eq!(pids.len(), 2);
    for pid in pids {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} was seen to end");
    }
}
