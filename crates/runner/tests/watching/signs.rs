//! Each sign, and what is none.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Params;
use kvmtest::guest::sign::Action;
use kvmtest_runner::watch::{self, Finding, Watcher};
use rustix::process::Signal;
use serde_json::json;

use crate::puppet::{Manners, Puppet};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// An env file, and somebody who watches its machines.
pub(crate) struct Post {
    pub(crate) env: Utf8PathBuf,
    dir: tempfile::TempDir,
    params: Params,
}

pub(crate) struct Watch {
    watcher: Watcher,
    told: Receiver<Finding>,
}

impl Post {
    pub(crate) fn new(params: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let mut all = Params::new();
        for (key, value) in params {
            all.set(*key, *value);
        }
        Self { env: path.join("env.json"), dir, params: all }
    }

    pub(crate) fn results(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).expect("UTF-8").to_owned()
    }

    pub(crate) fn puppet(&self, name: &str) -> Puppet {
        Puppet::new(&self.env, name, Manners::default())
    }

    pub(crate) fn watch(&self) -> Watch {
        let (sink, told) = channel();
        let watcher = watch::start(&self.env, &self.results(), &self.params, move |finding| {
            let _ = sink.send(finding.clone());
        });
        Watch { watcher: watcher.expect("it starts"), told }
    }
}

impl Watch {
    /// The next finding, as it is told.
    #[track_caller]
    pub(crate) fn next(&self) -> Finding {
        self.told.recv_timeout(PATIENCE).expect("a finding")
    }

    /// What was found in the end.
    pub(crate) fn end(self) -> Vec<Finding> {
        self.watcher.stop().findings
    }
}

/// The signs that were found, with what is done about them.
fn signs(findings: &[Finding]) -> Vec<(&str, Action)> {
    findings.iter().map(|finding| (finding.sign.as_str(), finding.action)).collect()
}

#[test]
fn what_the_console_shows_is_told_at_once_with_the_lines_that_show_it() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] all is well\r\n[    4.5] Oops: 0002 [#1] PREEMPT");
    vm1.prints(" SMP\r\n[    4.6] Call Trace:\r\n[    4.6]  panic+0x1/0x2\r\n");
    let finding = watch.next();
    assert_eq!((finding.sign.as_str(), finding.action), ("oops", Action::Fail));
    let message = "the guest of the VM `vm1` had an oops in its kernel: \
                   [    4.5] Oops: 0002 [#1] PREEMPT SMP";
    assert_eq!(finding.message, message);
    vm1.prints("[    4.7] Oops: 0002 [#2] SMP\r\n[    4.8] Kernel panic - not syncing: x\r\nend");
    let panic = watch.next();
    assert_eq!(panic.sign, "panic");
    let found = watch.end();
    assert_eq!(signs(&found), [("oops", Action::Fail), ("panic", Action::Fail)]);
    assert_eq!(found[0].count, 2);
    assert_eq!(found[0].lines[1..3], ["[    4.6] Call Trace:", "[    4.6]  panic+0x1/0x2"]);
    assert_eq!(found[1].lines, ["[    4.8] Kernel panic - not syncing: x", "end"]);
}

#[test]
fn what_was_printed_before_anybody_watched_and_in_the_last_moment_is_found() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    vm1.prints("[    0.5] Kernel panic - not syncing: early\r\n");
    let watch = post.watch();
    assert_eq!(watch.next().sign, "panic");
    vm1.prints("[    9.9] kernel BUG at mm/slub.c:1!");
    assert_eq!(signs(&watch.end()), [("panic", Action::Fail), ("bug", Action::Fail)]);
}

#[test]
fn what_qemu_tells_is_found() {
    let check = |event: &str, data: serde_json::Value, expected: &[&str]| {
        let post = Post::new(&[]);
        let vm1 = post.puppet("vm1");
        let watch = post.watch();
        // It is listening once it has heard this.
        vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
        assert_eq!(watch.next().sign, "oom");
        vm1.tells(event, &data);
        let found: Vec<_> = watch.end().into_iter().map(|it| it.sign).skip(1).collect();
        assert_eq!(found, expected, "{event} {data}");
    };
    check("GUEST_PANICKED", json!({"action": "pause"}), &["panic"]);
    check("RESET", json!({"guest": true, "reason": "guest-reset"}), &["reset"]);
    check("RESET", json!({"guest": false, "reason": "host-qmp-system-reset"}), &[]);
    check("SHUTDOWN", json!({"guest": true, "reason": "guest-shutdown"}), &["shutdown"]);
    check("SHUTDOWN", json!({"guest": false, "reason": "host-qmp-quit"}), &[]);
    check("SHUTDOWN", json!({"guest": true, "reason": "guest-panic"}), &["panic"]);
    check("STOP", json!({}), &[]);
    check("RTC_CHANGE", json!({"offset": -1}), &[]);
    check("RESET", json!("garbage"), &[]);
}

#[test]
fn what_the_subtest_wants_is_no_failure() {
    let reset = ("RESET", json!({"guest": true, "reason": "guest-reset"}));
    let shutdown = ("SHUTDOWN", json!({"guest": true, "reason": "guest-shutdown"}));
    let button = ("POWERDOWN", json!({}));
    let check =
        |expect: fn(&kvmtest::Vm), events: &[&(&str, serde_json::Value)], found: &[&str]| {
            let post = Post::new(&[]);
            let vm1 = post.puppet("vm1");
            let watch = post.watch();
            vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
            watch.next();
            expect(&vm1.vm());
            for (name, data) in events {
                vm1.tells(name, data);
            }
            let signs: Vec<_> = watch.end().into_iter().map(|it| it.sign).skip(1).collect();
            assert_eq!(signs, found, "{events:?}");
        };
    let reset_is_wanted: fn(&kvmtest::Vm) = |vm| vm.expect_reset().expect("said");
    let shutdown_is_wanted: fn(&kvmtest::Vm) = |vm| vm.expect_shutdown().expect("said");
    check(reset_is_wanted, &[&reset, &reset], &[]);
    check(reset_is_wanted, &[&shutdown], &["shutdown"]);
    check(shutdown_is_wanted, &[&shutdown], &[]);
    check(shutdown_is_wanted, &[&reset], &["reset"]);
    check(|_| (), &[&button, &shutdown], &[]);
    check(|_| (), &[&shutdown, &button], &["shutdown"]);
    check(|_| (), &[&reset, &reset], &["reset"]);
}

#[test]
fn what_one_test_wanted_the_next_one_does_not() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    vm1.vm().expect_reset().expect("said");
    let watch = post.watch();
    vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
    watch.next();
    vm1.tells("RESET", &json!({"guest": true, "reason": "guest-reset"}));
    assert_eq!(watch.end()[1].sign, "reset");
}

#[test]
fn a_death_is_told_with_its_last_words() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    vm1.says("qemu: \x1b[31mthe flux capacitor is not plugged in\n");
    let watch = post.watch();
    vm1.dies(Signal::SEGV);
    let finding = watch.next();
    assert_eq!(finding.sign, "death");
    for part in ["the VM `vm1` died", "killed by SIGSEGV", "flux capacitor"] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    assert!(!finding.message.contains('\x1b'));
    assert_eq!(watch.end().len(), 1);
}

#[test]
fn a_machine_that_was_ended_on_purpose_is_no_finding() {
    // By a monitor.
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
    watch.next();
    vm1.quits("host-qmp-quit");
    assert_eq!(signs(&watch.end()), [("oom", Action::Warn)]);
    // By force, and whoever did it has it forgotten.
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.dies(Signal::KILL);
    vm1.is_forgotten();
    assert_eq!(signs(&watch.end()), []);
    // By a signal from somewhere, and nobody forgets it.
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.quits("host-signal");
    assert_eq!(signs(&watch.end()), [("death", Action::Fail)]);
}

#[test]
fn machines_that_are_started_later_are_watched_too() {
    let post = Post::new(&[]);
    let watch = post.watch();
    let vm1 = post.puppet("vm1");
    vm1.prints("[    1.0] Kernel panic - not syncing: one\r\n");
    assert_eq!(watch.next().vm, "vm1");
    let vm2 = post.puppet("vm2");
    vm2.prints("[    1.0] Kernel panic - not syncing: two\r\n");
    assert_eq!(watch.next().vm, "vm2");
    // The same name, another machine.
    vm1.is_forgotten();
    let again = post.puppet("vm1");
    again.prints("[    1.0] kernel BUG at x.c:1!\r\n");
    let finding = watch.next();
    assert_eq!((finding.vm.as_str(), finding.sign.as_str()), ("vm1", "bug"));
    assert_eq!(watch.end().len(), 3);
}

#[test]
fn params_say_what_is_done_about_each_machine() {
    let post = Post::new(&[
        ("vms", "vm1 vm2"),
        ("watch_action_panic_vm1", "warn"),
        ("watch_action_death_vm2", "ignore"),
        ("watch_patterns", "mine"),
        ("watch_pattern_mine", "^gone [a-z]+$"),
        ("watch_action_mine", "warn"),
    ]);
    let (vm1, vm2) = (post.puppet("vm1"), post.puppet("vm2"));
    let watch = post.watch();
    vm1.prints("[    1.0] Kernel panic - not syncing: one\r\n");
    assert_eq!(watch.next().action, Action::Warn);
    vm2.prints("gone fishing\r\n");
    let mine = watch.next();
    assert_eq!((mine.sign.as_str(), mine.action), ("mine", Action::Warn));
    assert!(mine.message.ends_with("shows what the pattern `mine` looks for: gone fishing"));
    vm2.dies(Signal::SEGV);
    let found = watch.end();
    assert_eq!(signs(&found), [("panic", Action::Warn), ("mine", Action::Warn)]);
}

#[test]
fn what_cannot_be_understood_is_refused_before_anything_is_watched() {
    for (key, value) in [
        ("watch_action_reset", "explode"),
        ("watch_action_death_vm1", "explode"),
        ("watch_pattern_oops_vm1", "("),
        ("watch", "perhaps"),
    ] {
        let post = Post::new(&[("vms", "vm1"), (key, value)]);
        let started = watch::start(&post.env, &post.results(), &post.params, |_| ());
        let error = started.expect_err("refused").to_string();
        assert!(error.contains(key.trim_end_matches("_vm1")), "{error}");
    }
}

#[test]
fn nothing_is_watched_where_that_is_wanted() {
    let post = Post::new(&[("watch", "no")]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] Kernel panic - not syncing: one\r\n");
    vm1.dies(Signal::SEGV);
    assert_eq!(watch.end(), []);
}

#[test]
fn a_panic_that_both_tell_of_is_one() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
    watch.next();
    vm1.tells("GUEST_PANICKED", &json!({"action": "pause"}));
    assert_eq!(watch.next().message, "the guest of the VM `vm1` panicked");
    vm1.prints("[    1.0] Kernel panic - not syncing: x\r\n");
    let found = watch.end();
    assert_eq!(signs(&found), [("oom", Action::Warn), ("panic", Action::Fail)]);
    assert_eq!((found[1].count, found[1].lines.len()), (1, 1));
    assert!(found[1].message.ends_with("not syncing: x"), "{}", found[1].message);
}
