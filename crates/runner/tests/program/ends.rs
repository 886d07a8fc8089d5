//! Runs that are ended from outside.

use std::io::Read;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Ground, text};

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it is there");
}

#[test]
fn the_first_interrupt_ends_the_run_with_all_its_results() {
    for number in [Signal::INT, Signal::TERM, Signal::HUP] {
        let ground = Ground::new();
        let run = ground.start(&["waits", "passes"]);
        // `passes` comes first, by its name.
        let mut subtest = ground.meet_subtests(1);
        signal(&run, number);
        let output = run.wait_with_output().expect("it ends");
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(130), "{shown}");
        assert!(shown.contains("INTERRUPTED  waits"), "{shown}");
        assert!(shown.contains("while waiting for the guest"), "{shown}");
        assert!(shown.contains("2 tests in"), "{shown}");
        assert!(ground.latest().join("summary.json").exists());
        assert_eq!(subtest.read(&mut [0]).expect("its end"), 0, "the child is gone");
    }
}

#[test]
fn a_full_standard_output_is_told_on_the_other_one() {
    let ground = Ground::new();
    let output = ground.run_with_full_output(&["passes"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("the results are incomplete: cannot write to the terminal: "), "{told}");
}

#[test]
fn the_second_interrupt_leaves_at_once() {
    let ground = Ground::new();
    let run = ground.start(&["hangs_in_clean"]);
    let _clean = ground.meet("clean");
    signal(&run, Signal::INT);
    signal(&run, Signal::TERM);
    let output = run.wait_with_output().expect("it ends");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(shown.contains("leaving at once"), "{shown}");
    assert!(ground.latest().join("001-hangs_in_clean/result.json").exists());
}

#[test]
fn signals_end_what_all_workers_run() {
    let ground = Ground::new();
    let run = ground.start_with_jobs(2, &["waits", "iterations = 3"]);
    let mut subtest = ground.meet_subtests(2);
    signal(&run, Signal::INT);
    let output = run.wait_with_output().expect("it ends");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{shown}");
    assert!(shown.contains("2 tests in") && shown.contains("1 not run"), "{shown}");
    assert_eq!(subtest.read(&mut [0]).expect("its end"), 0, "both children are gone");
    assert_eq!(ground.path.join("scratch").read_dir_utf8().expect("listed").count(), 0);
}

#[test]
fn no_child_outlives_a_runner_with_two_workers_that_is_killed() {
    let ground = Ground::new();
    let mut run = ground.start_with_jobs(2, &["waits", "iterations = 2"]);
    let mut subtest = ground.meet_subtests(2);
    signal(&run, Signal::KILL);
    run.wait().expect("it ends");
    assert_eq!(subtest.read(&mut [0]).expect("its end"), 0, "both children are gone");
    assert_eq!(ground.path.join("scratch").read_dir_utf8().expect("listed").count(), 2);
    kvmtest_runner::scratch::collect(&ground.path.join("scratch")).expect("cleared up");
    assert_eq!(ground.path.join("scratch").read_dir_utf8().expect("listed").count(), 0);
}

#[test]
fn a_child_does_not_outlive_a_runner_that_is_killed() {
    let ground = Ground::new();
    let mut run = ground.start(&["waits"]);
    let mut subtest = ground.meet_subtests(1);
    signal(&run, Signal::KILL);
    run.wait().expect("it ends");
    assert_eq!(subtest.read(&mut [0]).expect("its end"), 0, "the child is gone");
    let recorded = kvmtest_runner::event::read(&ground.latest().join("events.jsonl"));
    let recorded = recorded.expect("what was known is there");
    assert!(recorded.broken.is_empty() && !recorded.events.is_empty());
}
