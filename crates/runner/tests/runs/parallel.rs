//! Several workers.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use kvmtest::Result;
use kvmtest_runner::Outcome::{Error, Pass, Skip};
use kvmtest_runner::event::{TestStarted, What};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::queue::Capacity;
use kvmtest_runner::stage::{Places, Stage};

use crate::bench::{Bench, Outcome};

fn started(outcome: &Outcome) -> Vec<&TestStarted> {
    let started = outcome.events.iter().filter_map(|what| match what {
        What::TestStarted(started) => Some(started),
        _ => None,
    });
    started.collect()
}

/// A stage whose tests meet while they are prepared.
struct Meets {
    barrier: Arc<Barrier>,
    envs: Arc<Mutex<BTreeSet<String>>>,
}

impl Stage for Meets {
    fn prepare(&mut self, _: &PlannedTest, places: &Places) -> Result<()> {
        self.envs.lock().expect("no panic").insert(places.env.to_string());
        self.barrier.wait();
        Ok(())
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

#[test]
fn as_many_tests_as_workers_run_at_one_time_each_in_an_env_of_its_own() {
    let barrier = Arc::new(Barrier::new(3));
    let envs = Arc::default();
    let stage = || -> Box<dyn Stage> {
        Box::new(Meets { barrier: Arc::clone(&barrier), envs: Arc::clone(&envs) })
    };
    let mut bench = Bench::new();
    for _ in 0..6 {
        bench = bench.script("started; pass");
    }
    (bench.stage, bench.more) = (stage(), vec![stage(), stage()]);
    let outcome = bench.run();
    assert_eq!(outcome.end.counts.pass, 6, "nobody waited in vain");
    assert_eq!(envs.lock().expect("no panic").len(), 3);
    let workers: BTreeSet<u32> = started(&outcome).iter().map(|test| test.worker).collect();
    assert_eq!(workers, BTreeSet::from([1, 2, 3]));
}

#[test]
fn more_workers_than_tests_do_no_harm() {
    let outcome = Bench::new().script("started; pass").workers(8).run();
    outcome.check(Pass, "");
    assert_eq!(Bench::new().workers(3).run().end.counts.total(), 0);
}

#[test]
fn what_the_host_has_is_never_exceeded() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().display();
    // Each test is alone with its lock, or fails.
    let script =
        format!("started; mkdir {path}/lock || fail together; sleep 0.05; rmdir {path}/lock; pass");
    let mut bench = Bench::new().workers(4);
    for _ in 0..6 {
        bench = bench.script(&script).param("used_mem", "600");
    }
    bench.settings.capacity = Capacity { cpus: 8, memory: 1000 };
    let outcome = bench.run();
    assert_eq!(outcome.end.counts.pass, 6, "{:?}", outcome.finished);
}

#[test]
fn what_depends_on_a_failure_is_skipped_with_the_reason() {
    let outcome = Bench::new()
        .script("started; fail broken")
        .with(|test| test.name = "a.install".into())
        .script("started; pass")
        .with(|test| {
            test.name = "a.boot".into();
            test.dep = vec!["a.install".into()];
        })
        .workers(2)
        .run();
    let skipped = outcome.finished.iter().find(|finished| finished.test == 2).expect("told");
    assert_eq!(skipped.outcome, Skip);
    assert!(skipped.message.contains("ended as FAIL"), "{skipped:?}");
    assert_eq!((outcome.end.counts.fail, outcome.end.counts.skip), (1, 1));
    assert!(outcome.complete, "a skipped test has its files, too");
}

fn hang() {
    let (speaker, silent) = std::sync::mpsc::channel::<()>();
    std::mem::forget(speaker);
    let _ = silent.recv();
}

/// A stage that hangs where nothing can wake it.
struct Hangs(u32);

impl Stage for Hangs {
    fn prepare(&mut self, test: &PlannedTest, _: &Places) -> Result<()> {
        if test.number == self.0 {
            hang();
        }
        Ok(())
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

#[test]
fn a_worker_that_hangs_is_given_up_and_the_others_go_on() {
    let mut bench = Bench::new().script("started; pass").param("prepare_timeout", "50ms");
    for _ in 0..4 {
        bench = bench.script("started; pass");
    }
    bench = bench.stage(Hangs(1)).workers(2);
    bench.settings.patience = Duration::from_millis(50);
    let outcome = bench.run();
    let hung = outcome.finished.iter().find(|finished| finished.test == 1).expect("told");
    assert_eq!(hung.outcome, Error);
    assert!(hung.message.contains("within 50ms (`prepare_timeout`), nor when interrupted"));
    assert_eq!(outcome.end.counts.pass, 4);
    assert!(outcome.remarks()[0].contains("worker 1 is given up"), "{:?}", outcome.remarks());
}

#[test]
fn where_all_workers_hang_the_rest_is_not_run() {
    let mut bench = Bench::new()
        .script("started; pass")
        .param("prepare_timeout", "50ms")
        .script("started; pass")
        .stage(Hangs(1));
    bench.settings.patience = Duration::from_millis(50);
    let outcome = bench.run();
    assert_eq!((outcome.end.counts.error, outcome.end.counts.not_run), (1, 1));
}

#[test]
fn the_first_failure_can_end_a_run() {
    let mut bench = Bench::new().workers(2);
    for _ in 0..5 {
        bench = bench.script("started; pass");
    }
    bench = bench.script("started; fail once");
    for _ in 0..5 {
        bench = bench.script("started; pass").param("alone", "yes");
    }
    bench.settings.max_failures = Some(1);
    let outcome = bench.run();
    assert_eq!((outcome.end.counts.fail, outcome.end.counts.not_run), (1, 5));
    assert!(!outcome.end.interrupted);
    assert_eq!(outcome.remarks(), ["1 test has failed: starting no more"]);
}

#[test]
fn a_failure_after_which_nothing_is_left_stops_nothing() {
    for (key, value) in [("abort_on_error", "yes"), ("unused", "")] {
        let mut bench = Bench::new().script("started; pass").script("started; fail once");
        bench.settings.max_failures = Some(1);
        let outcome = bench.param(key, value).run();
        assert_eq!((outcome.end.counts.fail, outcome.end.counts.not_run), (1, 0));
        assert_eq!(outcome.remarks(), [""; 0], "{key}");
    }
}

/// A stage whose machines live on; it remembers what it was asked.
struct Keeps {
    asked: Arc<Mutex<Vec<String>>>,
    cleared: fn() -> Result<Vec<String>>,
}

impl Stage for Keeps {
    fn prepare(&mut self, test: &PlannedTest, _: &Places) -> Result<()> {
        self.asked.lock().expect("no panic").push(format!("prepare {}", test.name));
        Ok(())
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn clear(&mut self) -> Result<Vec<String>> {
        self.asked.lock().expect("no panic").push("clear".into());
        (self.cleared)()
    }
}

/// A machine that lives on, and a test of another worker that needs its room: what was asked, what
/// was remarked.
fn make_room(cleared: fn() -> Result<Vec<String>>) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().expect("a directory");
    let over = dir.path().join("over");
    let waits = format!("started; while [ ! -e {} ]; do sleep 0.01; done; pass", over.display());
    let asked = Arc::default();
    let keeps = || Keeps { asked: Arc::clone(&asked), cleared };
    let named = |bench: Bench, name: &str, params: &[(&str, &str)]| {
        bench.with(|test| {
            test.name = name.into();
            test.params = params.iter().copied().collect();
        })
    };
    let bench = Bench::new().stage(keeps()).script("started; pass");
    let bench = named(bench, "keeps", &[("vms", "x"), ("mem", "3G"), ("kill_vm", "no")]);
    let bench = named(bench.script(&waits), "makes", &[("create_image", "yes"), ("used_mem", "1")]);
    let bench = named(bench.script("started; pass"), "needs", &[("used_mem", "2G")]);
    // It stays with the worker that made the image.
    let mut bench = bench.with(|test| test.dep = vec!["makes".into()]);
    bench.more = vec![Box::new(keeps())];
    bench.settings.capacity = Capacity { cpus: 4, memory: 4096 };
    bench.settings.patience = Duration::from_secs(1);
    bench.settings.timeouts.clean = Duration::from_secs(3);
    let outcome = bench.run_with(move |what, _| {
        if matches!(what, What::TestFinished(finished) if finished.test == 1) {
            std::fs::write(&over, "").expect("written");
        }
    });
    assert_eq!(outcome.end.counts.pass, 3, "{:?}", outcome.finished);
    let asked = asked.lock().expect("no panic").clone();
    (asked, outcome.remarks().into_iter().map(str::to_owned).collect())
}

#[test]
fn idle_machines_are_ended_for_a_test_that_needs_their_room() {
    let (asked, remarks) = make_room(|| Ok(vec!["x".into()]));
    assert_eq!(asked[2..], ["clear", "prepare needs"]);
    assert_eq!(remarks, ["ended the idle VM `x` of worker 1: another test needs its memory"]);
}

#[test]
fn a_worker_that_cannot_make_room_holds_nobody_up() {
    let (asked, remarks) = make_room(|| Err(kvmtest::Error::new(kvmtest::ErrorKind::Io, "no")));
    assert_eq!(asked[2..], ["clear", "prepare needs"]);
    assert_eq!(remarks, ["ending the machines of worker 1: no"]);
    let (asked, remarks) = make_room(|| {
        hang();
        Ok(Vec::new())
    });
    assert_eq!(asked[2..], ["clear", "prepare needs"]);
    assert_eq!(remarks, ["worker 1 does not end: what it holds is left to the guards"]);
}
