//! Runs whose machines are puppets: the verdict, the cause and what is shown.

use std::sync::Mutex;

use camino::Utf8PathBuf;
use kvmtest_runner::Outcome;
use kvmtest_runner::event::{Cause, What};
use rustix::process::Signal;

use crate::bench::{Bench, Outcome as Ended};
use crate::puppet::{Manners, Puppet};

/// Runs `script` while a machine lives, to which `happens` happens once the test is started and
/// has warned.
fn run(bench: Bench, script: &str, happens: fn(&Puppet)) -> (Ended, Utf8PathBuf) {
    let (ended, results, _) = run_with(bench, script, Manners::default(), happens);
    (ended, results)
}

fn run_with(
    bench: Bench,
    script: &str,
    manners: Manners,
    happens: fn(&Puppet),
) -> (Ended, Utf8PathBuf, tempfile::TempDir) {
    let keep = tempfile::tempdir().expect("a directory");
    let results = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
    let env = bench.results.dir().join("env-1");
    let vm1 = Puppet::new(&env, "vm1", manners);
    vm1.prints("[    0.0] Linux version 6.1\r\nlogin: ");
    let vm1 = std::sync::Arc::new(Mutex::new(vm1));
    let puppet = std::sync::Arc::clone(&vm1);
    let dir = bench.results.dir().to_owned();
    let copy = results.clone();
    let ended = bench.script(script).run_with(move |what, _| {
        if matches!(what, What::Note { .. }) {
            happens(&puppet.lock().expect("no panic"));
        }
        if matches!(what, What::TestFinished(_)) {
            for entry in dir.join("001-script").read_dir_utf8().expect("listed").flatten() {
                std::fs::copy(entry.path(), copy.join(entry.file_name())).expect("copied");
            }
        }
    });
    drop(vm1);
    (ended, results, keep)
}

const SLEEPS: &str = "trap 'interrupted' TERM; started; warn up; sleep 600 & wait";

fn panics(vm1: &Puppet) {
    vm1.prints("\r\n[    4.0] Kernel panic - not syncing: no soul\r\n[    4.1] Call Trace:\r\n");
}

#[test]
fn a_subtest_that_waits_for_nothing_is_stopped_when_the_guest_panics() {
    let (ended, _) = run(Bench::new(), SLEEPS, panics);
    ended.check(Outcome::Fail, "the guest of the VM `vm1` panicked: [    4.0] Kernel panic");
    let only = ended.only();
    assert_eq!(only.cause, Some(Cause::GuestCrashed));
    assert!(only.cause_shown_by.contains("no soul"), "{only:?}");
    assert_eq!(only.contexts, ["waiting"], "what it was doing is kept");
    assert_eq!(only.findings.len(), 1);
    assert!(only.output.as_ref().is_some_and(|output| output.contains("Kernel panic")));
    assert!(only.console_tail.iter().any(|line| line.contains("no soul")), "{only:?}");
    assert_eq!(only.command_script.as_deref(), Some("qemu-vm1.sh"));
    assert!(only.evidence.iter().any(|name| name == "evidence.json"));
}

#[test]
fn a_subtest_that_ignores_being_stopped_is_killed() {
    let mut bench = Bench::new();
    bench.settings.grace = std::time::Duration::from_millis(50);
    let (ended, _) = run(bench, "trap '' TERM; started; warn up; sleep 600 & wait", panics);
    ended.check(Outcome::Fail, "panicked");
    assert_eq!(ended.only().cause, Some(Cause::GuestCrashed));
}

#[test]
fn a_pass_is_none_where_the_guest_had_an_oops() {
    let script = "started; warn up; trap 'pass' TERM; sleep 600 & wait";
    let (ended, _) = run(Bench::new(), script, |vm1| vm1.prints("[    1.0] Oops: 0002 [#1]\r\n"));
    ended.check(Outcome::Fail, "had an oops in its kernel");
    assert_eq!(ended.only().cause, Some(Cause::GuestCrashed));
}

#[test]
fn what_only_warns_makes_a_pass_a_warn() {
    static GO: Mutex<Option<Utf8PathBuf>> = Mutex::new(None);
    let bench = Bench::new();
    // The first note is the test's own; what is found makes the second.
    let script = "started; warn up; while ! [ -e \"$KVMTEST_GO\" ]; do sleep 0.05; done; pass";
    let script = format!("KVMTEST_GO='{}/go'; {script}", bench.results.dir());
    let go = bench.results.dir().join("go");
    *GO.lock().expect("no panic") = Some(go);
    let (ended, _) = run(bench, &script, |vm1| {
        vm1.prints("[    1.0] Out of memory: Killed process 7\r\n");
        let go = GO.lock().expect("no panic").clone().expect("set");
        std::fs::write(go, "").expect("written");
    });
    ended.check(Outcome::Warn, "");
    assert_eq!(ended.only().cause, None);
    assert_eq!(ended.only().findings.len(), 1);
}

#[test]
fn a_machine_that_dies_under_a_test_ends_it() {
    let (ended, _) = run(Bench::new(), SLEEPS, |vm1| {
        vm1.says("qemu: assertion failed\n");
        vm1.dies(Signal::ABORT);
    });
    ended.check(Outcome::Fail, "the VM `vm1` died: QEMU was killed by SIGABRT");
    assert_eq!(ended.only().cause, Some(Cause::QemuDied));
}

#[test]
fn a_failure_of_the_test_itself_is_its_own() {
    let (ended, _) = run(Bench::new(), "started; fail 'one and one is three'", |_| ());
    ended.check(Outcome::Fail, "one and one is three");
    assert_eq!(ended.only().cause, Some(Cause::TestFailed));
    let (ended, _) = run(Bench::new(), "started; kill -SEGV $$", |_| ());
    ended.check(Outcome::Error, "SIGSEGV");
    assert_eq!(ended.only().cause, Some(Cause::TestBroken));
}

#[test]
fn a_test_whose_time_is_up_in_a_guest_that_hangs() {
    let manners = Manners {
        registers: vec![crate::puppet::registers(0xffff_ffff_8100_0000, false)],
        console: "",
        ..Manners::default()
    };
    let mut bench = Bench::new();
    bench.settings.timeouts.run = std::time::Duration::from_millis(300);
    let (ended, results, _keep) = run_with(bench, SLEEPS, manners, |_| ());
    ended.check(Outcome::Fail, "did not end within");
    let only = ended.only();
    assert_eq!(only.cause, Some(Cause::GuestHung));
    assert!(only.cause_shown_by.contains("spins at 0xffffffff81000000"), "{only:?}");
    assert!(results.join("registers-vm1.txt").is_file());
}

#[test]
fn the_console_ends_where_it_did_when_the_test_failed() {
    let manners = Manners { console: "\r\nwho is there?\r\n", ..Manners::default() };
    let (ended, _, _keep) = run_with(Bench::new(), "started; fail no", manners, |_| ());
    let only = ended.only();
    // It was spoken to later, to see whether it answers.
    assert!(only.evidence.iter().any(|name| name == "evidence.json"));
    assert_eq!(only.console_tail, ["[    0.0] Linux version 6.1", "login:"]);
    assert_eq!(only.console_log.as_deref(), Some("serial-vm1.log"));
}

#[test]
fn of_an_interrupted_test_the_console_is_shown_too() {
    let (ended, _) = run(Bench::new(), "started; interrupted", |_| ());
    assert_eq!(ended.only().console_tail.len(), 2, "{:?}", ended.only());
    assert!(ended.only().ended.is_empty() && ended.only().cause.is_none());
}

#[test]
fn machines_that_could_have_been_kept_are_named() {
    let (ended, _) = run(Bench::new(), "started; fail no", |_| ());
    assert_eq!(ended.only().ended, ["vm1"]);
    let (ended, _) = run(Bench::new(), "started; pass", |_| ());
    assert!(ended.only().ended.is_empty());
    let bench = Bench::new().script("started; fail no");
    assert!(bench.run().only().ended.is_empty(), "it had none");
}

#[test]
fn a_test_without_machines_has_a_cause_too() {
    let ended = Bench::new().script("started; fail no").run();
    assert_eq!(ended.only().cause, Some(Cause::TestFailed));
    let ended = Bench::new().script("started; pass").run();
    assert_eq!((ended.only().cause, &ended.only().findings[..]), (None, &[][..]));
    let ended = Bench::new().script("started; interrupted").run();
    assert_eq!(ended.only().cause, None, "nothing failed");
    let ended = Bench::new().script("started; pass").param("watch_action", "explode").run();
    ended.check(Outcome::Error, "watch_action");
    assert_eq!(ended.only().cause, Some(Cause::SetUpFailed));
}
