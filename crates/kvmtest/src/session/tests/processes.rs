//! Processes on terminals: their start, their end, and what they leave.

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::{LONG, argv, sh, shell};
use crate::deadline::Deadline;
use crate::error::ErrorKind;
use crate::session::Expect;
use crate::wait;

#[test]
fn how_a_process_ended_is_told() {
    for (script, message) in [
        ("exit 3", "sh: the process ended with status 3 [context: waiting for `never`]"),
        ("kill -9 $$", "sh: the process was killed by signal 9 [context: waiting for `never`]"),
    ] {
        let mut session = Expect::spawn(&argv(&["sh", "-c", script]), "sh", None).expect("started");
        let error = session.read_until_output_matches(&["never"], LONG).expect_err("the end");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn all_that_a_process_said_is_read_before_its_end() {
    let script = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; exit 4";
    let mut session = Expect::spawn(&argv(&["sh", "-c", script]), "sh", None).expect("started");
    let (output, status) = session.read_until_end(LONG).expect("it ends");
    assert!(output.starts_with(b"line 0\nline 1\n") && output.ends_with(b"line 1999\n"));
    assert_eq!(status.and_then(|status| status.code()), Some(4));
}

#[test]
fn an_end_is_seen_though_somebody_else_holds_the_terminal() {
    let script = "setsid sleep 1000 & echo pid=$!.; exit 5";
    let mut session = Expect::spawn(&argv(&["sh", "-c", script]), "sh", None).expect("started");
    let (output, status) = session.read_until_end(LONG).expect("it ends");
    assert_eq!(status.and_then(|status| status.code()), Some(5));
    let output = String::from_utf8(output).expect("digits");
    let pid = output.trim_start_matches("pid=").trim_end_matches(".\n");
    let left = Pid::from_raw(pid.parse().expect("a number")).expect("not 0");
    rustix::process::kill_process(left, rustix::process::Signal::KILL).expect("ours to end");
}

#[test]
fn a_terminal_that_does_not_echo_or_translate() {
    let mut session = sh();
    assert_eq!(session.cmd("echo $TERM; tty >/dev/null && echo yes").expect("runs"), "dumb\nyes");
    session.sendline("stty -a").expect("sent");
    let modes = session.read_up_to_prompt().expect("a prompt");
    for mode in ["-echo ", "-icrnl", "-onlcr"] {
        assert!(modes.contains(mode) || modes.contains("-opost"), "{mode}: {modes}");
    }
    assert!(!modes.contains("stty -a"), "no echo: {modes}");
}

#[test]
fn closing_kills_the_process_and_its_jobs() {
    let mut session = sh();
    let pids = session.cmd("sleep 1000 & sleep 1001 & echo $$ $!").expect("runs");
    let pidfds: Vec<_> = pids
        .lines()
        .last()
        .expect("a line")
        .split_whitespace()
        .map(|pid| Pid::from_raw(pid.parse().expect("a number")).expect("not 0"))
        .map(|pid| pidfd_open(pid, PidfdFlags::empty()).expect("alive"))
        .collect();
    assert_eq!(pidfds.len(), 2);
    session.close();
    for pidfd in &pidfds {
        let ended = wait::readable([std::os::fd::AsFd::as_fd(pidfd)], Deadline::after(LONG));
        assert_eq!(ended.expect("no interrupt"), [true]);
    }
}

#[test]
fn sessions_inherit_no_descriptors_of_each_other() {
    let _other = sh();
    let mut session = sh();
    let open = session.cmd("ls /proc/$$/fd").expect("runs");
    // A shell keeps one of its own for the terminal.
    let strange: Vec<_> =
        open.split_whitespace().filter(|fd| !["0", "1", "2", "10", "255"].contains(fd)).collect();
    let targets = session.cmd("ls -l /proc/$$/fd").expect("runs");
    assert!(!targets.contains("ptmx") && !targets.contains("pidfd"), "{strange:?}: {targets}");
}

#[test]
fn a_program_that_is_missing_is_named() {
    let error = Expect::spawn(&argv(&["no-such-program"]), "x", None).err().expect("not there");
    assert_eq!(error.kind(), ErrorKind::Host);
    assert_eq!(
        error.to_string(),
        "the program `no-such-program` is not installed (or not in PATH)"
    );
    Expect::spawn(&[], "x", None).err().expect("nothing to start");
    assert!(shell(&["no-such-shell"]).is_none());
}
