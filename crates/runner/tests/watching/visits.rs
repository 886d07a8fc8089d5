//! A person who is let into a machine of a test that failed.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kvmtest::{Deadline, ErrorKind, Result, interrupt, wait};
use kvmtest_runner::Outcome;
use kvmtest_runner::dispatch::Happening;
use kvmtest_runner::event::What;
use kvmtest_runner::hold::{OnFail, Shell};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::stage::{Places, Stage};

use crate::bench::{Bench, Outcome as Ended};
use crate::puppet::{Manners, Puppet};

const FAILS: &str = "started; fail 'one and one is three'";

/// Runs `bench` with a machine for its first worker, and lets `person` into it where a test fails.
/// They hear of each event.
fn run(
    mut bench: Bench,
    person: impl Fn(&Receiver<What>) -> Result<()> + Send + 'static,
    on_event: impl Fn(&What, &Sender<Happening>) + Send + 'static,
) -> Ended {
    let vm1 = Puppet::new(&bench.results.dir().join("env-1"), "vm1", Manners::default());
    let (news, heard) = channel();
    bench.settings.on_fail = OnFail::Shell(Shell::new(move |vm, all| {
        assert_eq!((vm.name(), all.len()), ("vm1", 1));
        person(&heard)
    }));
    let ended = bench.run_with(move |what, sender| {
        let _ = news.send(what.clone());
        on_event(what, sender);
    });
    drop(vm1);
    ended
}

/// The events that matter here, in a word and the test's number each.
fn story(ended: &Ended) -> Vec<(&'static str, u32)> {
    let words = ended.events.iter().filter_map(|what| match what {
        What::TestStarted(started) => Some(("starts", started.test)),
        What::Entered { test, .. } => Some(("entered", *test)),
        What::Left { test } => Some(("left", *test)),
        What::TestFinished(finished) => Some(("ends", finished.test)),
        _ => None,
    });
    words.collect()
}

fn nobody(_: &Receiver<What>) -> Result<()> {
    panic!("nobody is to be let in");
}

#[test]
fn nothing_is_started_while_somebody_is_inside() {
    let bench = Bench::new();
    let go = bench.results.dir().join("go");
    let waits = format!("started; while ! [ -e '{go}' ]; do sleep 0.02; done; pass");
    let bench = bench.script(FAILS).script(&waits).script("started; pass").workers(2);
    let person = move |heard: &Receiver<What>| {
        std::fs::write(&go, "")?;
        let ended =
            heard.iter().find(|what| matches!(what, What::TestFinished(it) if it.test == 2));
        assert!(ended.is_some(), "the run waits for us");
        Ok(())
    };
    let ended = run(bench, person, |_, _| ());
    let expected =
        [("starts", 1), ("starts", 2), ("entered", 1), ("ends", 2), ("left", 1), ("starts", 3)];
    let story = story(&ended);
    assert_eq!(story[..6], expected, "{story:?}");
    assert_eq!((ended.end.counts.pass, ended.end.counts.fail), (2, 1));
}

#[test]
fn who_enters_is_told_what_is_known() {
    let ended = run(Bench::new().script(FAILS), |_| Ok(()), |_, _| ());
    let entered = ended.events.iter().find_map(|what| match what {
        What::Entered { vm, so_far, .. } => Some((vm.as_str(), so_far)),
        _ => None,
    });
    let (vm, so_far) = entered.expect("somebody entered");
    assert_eq!((vm, so_far.outcome), ("vm1", Outcome::Fail));
    assert_eq!(so_far.message, "one and one is three");
    assert_eq!(so_far.cause, ended.only().cause);
    assert!(so_far.cause.is_some() && so_far.evidence.iter().any(|name| name == "qemu-vm1.sh"));
    assert!(ended.only().survivors.is_empty() && ended.only().ended.is_empty());
}

#[test]
fn what_did_not_fail_for_good_lets_nobody_in() {
    run(Bench::new().script("started; pass"), nobody, |_, _| ()).check(Outcome::Pass, "");
    run(Bench::new().script("started; interrupted"), nobody, |_, _| ())
        .check(Outcome::Interrupted, "");
    // Only of the last try.
    let mut bench = Bench::new().script(FAILS);
    bench.settings.retries = 2;
    let ended = run(bench, |_| Ok(()), |_, _| ());
    let entered: Vec<_> = story(&ended).into_iter().skip_while(|it| it.0 != "entered").collect();
    assert_eq!(entered, [("entered", 1), ("left", 1), ("ends", 1)]);
    let tries: Vec<bool> = ended.finished.iter().map(|finished| finished.retried).collect();
    assert_eq!(tries, [true, true, false]);
}

/// Notes whether it was to hurry.
struct Hurried(Arc<Mutex<Vec<bool>>>);

impl Stage for Hurried {
    fn prepare(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        Ok(())
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        self.0.lock().expect("no panic").push(interrupt::is_requested());
        Ok(Vec::new())
    }
}

#[test]
fn an_interrupt_sends_them_out_and_cleaning_up_has_its_time() {
    let hurried = Arc::new(Mutex::new(Vec::new()));
    let bench = Bench::new().stage(Hurried(hurried.clone())).script(FAILS).script("started; pass");
    let person = |_: &Receiver<What>| {
        let (here, _there) = UnixStream::pair()?;
        let error = wait::readable([here.as_fd()], Deadline::after(Duration::from_secs(100)));
        let error = error.expect_err("nobody says anything");
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        Ok(())
    };
    let ended = run(bench, person, |what, sender| {
        if matches!(what, What::Entered { .. }) {
            sender.send(Happening::Signal).expect("it listens");
        }
    });
    assert_eq!(*hurried.lock().expect("no panic"), [false]);
    assert!(ended.end.interrupted);
    assert_eq!((ended.end.counts.fail, ended.end.counts.not_run), (1, 1));
    assert_eq!(story(&ended)[1..], [("entered", 1), ("left", 1), ("ends", 1)]);
}

#[test]
fn nobody_is_hurried_by_who_is_inside_nor_are_they() {
    let mut bench = Bench::new().script(FAILS);
    bench.settings.timeouts.clean = Duration::from_secs(3);
    bench.settings.timeouts.slow = Duration::from_secs(3);
    bench.settings.run_timeout = Some(Duration::from_secs(8));
    let person = |_: &Receiver<What>| {
        let (here, _there) = UnixStream::pair()?;
        let silent = wait::readable([here.as_fd()], Deadline::after(Duration::from_secs(9)))?;
        assert_eq!(silent, [false]);
        Ok(())
    };
    let ended = run(bench, person, |_, _| ());
    ended.check(Outcome::Fail, "one and one is three");
    assert!(!ended.end.interrupted && ended.remarks().is_empty(), "{:?}", ended.remarks());
    assert!(!ended.events.iter().any(|what| matches!(what, What::Slow { .. })));
    assert!(ended.only().duration_ms < 9000, "their time is not the test's");
}
