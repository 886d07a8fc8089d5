//! Machines that misbehave while they are watched or asked.

use kvmtest_runner::Outcome;
use kvmtest_runner::cause::{Answer, Evidence, Failure, Question, VcpuState, Voice, cause, gather};
use kvmtest_runner::event::{Cause, Phase};
use kvmtest_runner::stage::Places;
use rustix::process::Signal;

use crate::puppet::{Manners, Puppet, registers};
use crate::signs::Post;

/// The evidence that there is when a test fails for this kind of error.
pub(crate) fn evidence(post: &Post, kind: &str) -> Evidence {
    let failure = Failure {
        outcome: Outcome::Fail,
        phase: Phase::Run,
        kind: Some(kind.to_owned()),
        message: "it took too long".into(),
        contexts: Vec::new(),
    };
    let seen =
        kvmtest_runner::watch::start(&post.env, &post.results(), &kvmtest::Params::new(), |_| ())
            .expect("it starts")
            .stop();
    let places = Places { results: post.results(), scratch: post.results(), env: post.env.clone() };
    let params = kvmtest::Params::new();
    gather(&Question { places: &places, params: &params, failure: &failure, seen: &seen })
}

fn cause_of(evidence: &Evidence) -> Cause {
    // What else runs on this host is no part of these tests.
    let host = kvmtest_runner::cause::HostFacts::default();
    cause(&Evidence { host, ..evidence.clone() }).0
}

#[test]
fn a_guest_that_answers_is_not_to_blame() {
    let post = Post::new(&[]);
    let _vm1 = post.puppet("vm1");
    let evidence = evidence(&post, "shell-timeout");
    let vm1 = &evidence.machines[0];
    assert_eq!(vm1.monitor, Voice::Answers);
    assert_eq!(vm1.console, Some(Answer::Answers));
    assert_eq!(vm1.vcpus[0].samples.len(), 3);
    assert_eq!(vm1.vcpus[0].state(), VcpuState::Runs);
    assert_eq!(cause_of(&evidence), Cause::TestFailed);
    for file in ["evidence.json", "registers-vm1.txt", "devices-vm1.txt"] {
        assert!(post.results().join(file).is_file(), "{file}");
    }
    let text = std::fs::read(post.results().join("evidence.json")).expect("kept");
    let read: Evidence = serde_json::from_slice(&text).expect("reads back");
    assert_eq!(read, evidence);
}

#[test]
fn a_guest_that_spins_or_is_silent_hangs() {
    let check = |registers: Vec<String>, console: &'static str, state: VcpuState, cause: Cause| {
        let post = Post::new(&[]);
        let manners = Manners { registers, console, ..Manners::default() };
        let _vm1 = Puppet::new(&post.env, "vm1", manners);
        let evidence = evidence(&post, "shell-timeout");
        assert_eq!(evidence.machines[0].vcpus[0].state(), state, "{evidence:?}");
        assert_eq!(cause_of(&evidence), cause, "{evidence:?}");
    };
    let runs = || vec![registers(0x1000, false), registers(0x2000, false)];
    check(vec![registers(0x1000, false)], "", VcpuState::Spins, Cause::GuestHung);
    check(vec![registers(0x1000, true)], "", VcpuState::Idle, Cause::GuestHung);
    check(vec![registers(0x1000, true)], "\r\n", VcpuState::Idle, Cause::GuestHung);
    check(runs(), "", VcpuState::Runs, Cause::GuestHung);
    check(vec![registers(0x1000, true)], "\r\n# ", VcpuState::Idle, Cause::TestFailed);
    // It answers, so that it cannot be stuck, however it looks.
    check(vec![registers(0x1000, false)], "\r\n# ", VcpuState::Spins, Cause::TestFailed);
}

#[test]
fn a_monitor_that_never_greets_or_answers_keeps_nobody() {
    let silent = [
        Manners { greets: false, ..Manners::default() },
        Manners { answers: false, ..Manners::default() },
    ];
    for manners in silent {
        let post = Post::new(&[]);
        let vm1 = Puppet::new(&post.env, "vm1", manners);
        vm1.prints("kvmtest login: \r\n");
        vm1.freezes();
        let evidence = evidence(&post, "monitor-timeout");
        let seen = &evidence.machines[0];
        assert_eq!((seen.monitor, seen.process_state), (Voice::Silent, Some('T')));
        assert!(!seen.missing.is_empty());
        let (cause, why) = cause(&evidence);
        if cause != Cause::HostStarved {
            assert_eq!(cause, Cause::GuestHung);
            assert!(why.contains("SIGSTOP"), "{why}");
        }
    }
}

#[test]
fn several_machines_are_asked_at_the_same_time() {
    let post = Post::new(&[]);
    let names: Vec<String> = (1..=8).map(|number| format!("vm{number}")).collect();
    let deaf = Manners { greets: false, ..Manners::default() };
    let _vms: Vec<Puppet> =
        names.iter().map(|name| Puppet::new(&post.env, name, deaf.clone())).collect();
    let well = post.puppet("vm9");
    let evidence = evidence(&post, "shell-timeout");
    assert_eq!(evidence.machines.len(), 9);
    let silent = evidence.machines.iter().filter(|vm| vm.monitor == Voice::Silent).count();
    assert_eq!(silent, 8);
    let vm9 = evidence.machines.iter().find(|vm| vm.name == well.name).expect("asked");
    assert_eq!(vm9.console, Some(Answer::Answers), "it was not kept from answering");
}

#[test]
fn a_machine_may_die_while_it_is_asked() {
    for command in ["query-status", "human-monitor-command"] {
        let post = Post::new(&[]);
        let manners = Manners { dies_of: command, ..Manners::default() };
        let _vm1 = Puppet::new(&post.env, "vm1", manners);
        let evidence = evidence(&post, "shell-timeout");
        let ended = evidence.machines[0].ended.as_ref().expect("seen");
        assert_eq!(ended.signal, Some(11), "{command}");
        assert_eq!(cause_of(&evidence), Cause::QemuDied, "{command}");
    }
}

#[test]
fn a_machine_that_was_dead_before_is_told_with_its_words() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    vm1.says("qemu: assertion failed\n");
    vm1.dies(Signal::ABORT);
    let evidence = evidence(&post, "vm-dead");
    let (cause, why) = cause(&evidence);
    assert_eq!(cause, Cause::QemuDied);
    assert!(why.contains("SIGABRT") && why.contains("assertion failed"), "{why}");
}

#[test]
fn an_env_file_that_is_broken_or_gone_costs_the_evidence_only() {
    let post = Post::new(&[]);
    assert_eq!(evidence(&post, "shell-timeout").machines, []);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
    watch.next();
    std::fs::write(post.env.with_extension("broken"), "{").expect("written");
    std::fs::rename(post.env.with_extension("broken"), &post.env).expect("in its place");
    vm1.prints("[    1.0] Kernel panic - not syncing: still watched\r\n");
    assert_eq!(watch.next().sign, "panic");
    assert_eq!(watch.end().len(), 2);
}

#[test]
fn a_console_may_say_anything() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    let mut piece = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\xff\xfe\0\x9b5n</failure>]]>".to_vec();
    piece.resize(1000, b'A');
    let block = [piece.repeat(40), [&piece[..], b"\r\n"].concat().repeat(25)].concat();
    for _ in 0..16 * 16 {
        vm1.prints(&block);
    }
    vm1.prints(b"\r\n[    1.0] Kernel panic - not syncing: \x1b[5mno \xff soul\r\n");
    vm1.prints(&block);
    let finding = watch.next();
    assert_eq!(finding.sign, "panic");
    let found = watch.end();
    for text in found.iter().flat_map(|it| it.lines.iter().chain([&it.message])) {
        assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
        assert!(text.len() < 4096, "{}", text.len());
    }
    assert!(found[0].lines.len() <= 16);
}

#[test]
fn a_watcher_that_is_dropped_ends() {
    let post = Post::new(&[]);
    let vm1 = post.puppet("vm1");
    let watch = post.watch();
    vm1.prints("[    1.0] Out of memory: Killed process 1\r\n");
    let finding = watch.next();
    assert_eq!(finding.sign, "oom");
    drop(watch);
    // The monitor serves one client at a time: it is free again.
    let again = post.watch();
    assert_eq!(again.next().sign, "oom");
}
