//! Who keeps a machine alive, and what is left when that is over: nothing.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use kvmtest_tests::{Ended, Notes, Process, Running, Sandbox, write_executable};
use rustix::process::Signal;

/// A run whose guest says nothing, and its QEMU.
fn silent(sandbox: &Sandbox) -> (Running, Notes, Process) {
    let mut command = sandbox.fake_run("silent", &["boot"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    let qemu = notes.wait_for("silent");
    (run, notes, qemu)
}

/// Leaves a living machine, with its QEMU.
fn keep(sandbox: &Sandbox, more: &[&str]) -> Process {
    let what: Vec<&str> = ["boot", "kill_vm = no"].iter().chain(more).copied().collect();
    let mut command = sandbox.fake_run("obeys", &what);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    // Before its time begins, which may be short.
    let qemu = notes.wait_for("started");
    run.end().code(0);
    qemu
}

fn lives(process: &Process) -> bool {
    !process.ends_within(std::time::Duration::ZERO)
}

#[track_caller]
fn ends(process: &Process) {
    assert!(process.ends_within(kvmtest_tests::PATIENCE), "{}", process.command_line());
}

fn pid_is_listed(ended: &Ended, process: &Process) -> bool {
    let row = ended.stdout.lines().find(|line| line.starts_with("vm1 "));
    row.is_some_and(|row| row.split_whitespace().nth(1) == Some(&process.pid.to_string()))
}

#[test]
fn a_runner_that_is_killed_leaves_nothing() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemu) = silent(&sandbox);
    run.signal(Signal::KILL);
    run.end();
    ends(&qemu);
    // The guard is the last to go.
    for process in Process::all_in(&sandbox.root) {
        ends(&process);
    }
    let left = sandbox.leftovers();
    assert!(left.iter().all(|left| left.contains("cache/kvmtest/tests/test-")), "{left:?}");
    sandbox.kvmtest(["env"]).code(0).says(["no machine lives"]);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["left directory removed"]);
    sandbox.is_empty();
}

#[test]
fn a_run_after_one_that_was_killed_finds_everything_in_order() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemu) = silent(&sandbox);
    run.signal(Signal::KILL);
    run.end();
    ends(&qemu);
    sandbox.fake("obeys", &["boot"]).code(0);
    sandbox.is_empty();
}

#[test]
fn a_guard_that_is_killed_leaves_a_machine_that_the_run_still_ends() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemu) = silent(&sandbox);
    qemu.parent().expect("its guard").signal(Signal::KILL);
    run.signal_group(Signal::INT);
    run.end().code(130);
    sandbox.is_empty();
}

#[test]
fn what_leaks_when_run_and_guard_are_killed_is_found() {
    let kill_both = |sandbox: &Sandbox| {
        let (run, mut notes, qemu) = silent(sandbox);
        // By now the guard has written down whom it guards.
        notes.wait_for("listened-to");
        let guard = qemu.parent().expect("its guard");
        guard.signal(Signal::KILL);
        ends(&guard);
        run.signal(Signal::KILL);
        run.end();
        assert!(lives(&qemu), "nobody was there to end it");
        qemu
    };
    // By `env gc`.
    let sandbox = Sandbox::new();
    let qemu = kill_both(&sandbox);
    let collected = sandbox.kvmtest(["env", "gc"]);
    collected.code(0).says(["VM ended that nothing held any more: vm1"]);
    ends(&qemu);
    sandbox.is_empty();
    // By the next run.
    let qemu = kill_both(&sandbox);
    let run = sandbox.fake("obeys", &["boot"]);
    run.code(0).says(["VM ended that nothing held any more: vm1"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn what_was_made_for_a_machine_that_was_never_started_goes_at_once() {
    let sandbox = Sandbox::new();
    let (image, bin, asked) =
        (sandbox.work.join("disk.vmdk"), sandbox.root.join("bin"), sandbox.root.join("asked"));
    std::fs::write(&image, "a disk").expect("written");
    std::fs::create_dir(&bin).expect("made");
    // Directories are there, and no QEMU; and so it stays.
    write_executable(bin.join("qemu-img"), format!("#!/bin/sh\necho >{asked}\nexec sleep 600\n"));
    let name = format!("image_name = {image}");
    let disk = ["images = disk", &name, "image_format = vmdk", "image_snapshot = yes"];
    let what = [&["boot"], &disk[..]].concat();
    let mut command = sandbox.fake_run("obeys", &what);
    let path = std::env::var("PATH").expect("set");
    let run = Running::start(command.env("PATH", format!("{bin}:{path}")));
    let deadline = std::time::Instant::now() + kvmtest_tests::PATIENCE;
    while !asked.exists() {
        assert!(std::time::Instant::now() < deadline, "no overlay is made: {}", run.end());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    run.signal(Signal::KILL);
    run.end();
    for process in Process::all_in(&sandbox.root) {
        process.signal(Signal::KILL);
        ends(&process);
    }
    sandbox.kvmtest(["env", "gc"]).code(0).says(["remains of the dead VM removed: vm1"]);
    sandbox.is_empty();
}

#[test]
fn one_interrupt_cleans_up() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemu) = silent(&sandbox);
    run.signal_group(Signal::INT);
    let ended = run.end();
    ended.code(130).says(["interrupted: cleaning up", "INTERRUPTED  boot"]);
    assert!(!lives(&qemu));
    assert_eq!(sandbox.result()["finished"]["outcome"], "INTERRUPTED");
    assert!(sandbox.latest().join("junit.xml").is_file());
    sandbox.is_empty();
}

#[test]
fn two_interrupts_leave_at_once() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("ignores-signals", &["boot", "shutdown"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    // The first test is done, and its machine does not want to go.
    let qemu = notes.wait_for("quit");
    run.signal_group(Signal::INT);
    run.signal_group(Signal::TERM);
    run.end().code(130).says(["leaving at once"]);
    // The run held it; its guard does not.
    ends(&qemu);
    for process in Process::all_in(&sandbox.root) {
        ends(&process);
    }
    sandbox.kvmtest(["env", "gc"]).code(0);
    sandbox.is_empty();
}

#[test]
fn a_machine_waits_for_the_next_run() {
    let sandbox = Sandbox::new();
    let qemu = keep(&sandbox, &[]);
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["VM ", "PID", "vm1 ", "min left", "tcg"]);
    assert!(!list.stdout.contains("guard"), "it lives: {list}");
    assert!(pid_is_listed(&list, &qemu), "{list}");
    for method in ["boot", "reboot"] {
        sandbox.fake("obeys", &[method, "kill_vm = no"]).code(0);
        assert!(pid_is_listed(&sandbox.kvmtest(["env", "list"]), &qemu));
    }
    // Another machine is wanted: this one cannot be it.
    let mut command = sandbox.fake_run("obeys", &["boot", "kill_vm = no", "mem = 300"]);
    let mut notes = sandbox.notes(&mut command);
    Running::start(&mut command).end().code(0);
    ends(&qemu);
    let qemu = notes.wait_for("started");
    sandbox.kvmtest(["env", "kill", "vm1"]).code(0).says(["ended: vm1"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn a_machine_that_is_kept_survives_a_run_that_is_killed() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("hangs-in-command", &["boot", "kill_vm = no"]);
    let mut notes = sandbox.notes(&mut command);
    Running::start(&mut command).end().code(0);
    let qemu = notes.wait_for("booted");
    let run =
        Running::start(&mut sandbox.fake_run("hangs-in-command", &["reboot", "kill_vm = no"]));
    notes.wait_for("hangs");
    run.signal(Signal::KILL);
    run.end();
    // It is still there for the next run, and nobody uses it.
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["min left"]);
    assert!(pid_is_listed(&list, &qemu), "{list}");
    sandbox.kvmtest(["env", "gc"]).code(0);
    assert!(lives(&qemu));
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}

#[test]
fn a_lease_ends() {
    let sandbox = Sandbox::new();
    let qemu = keep(&sandbox, &["vm_lease = 1s"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn a_machine_whose_guard_was_killed_is_ended_when_its_time_is_up() {
    let sandbox = Sandbox::new();
    let qemu = keep(&sandbox, &["vm_lease = 20s"]);
    let guard = qemu.parent().expect("its guard");
    guard.signal(Signal::KILL);
    ends(&guard);
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["the guard of vm1 is gone", "nothing ends it: `kvmtest env gc` does"]);
    assert!(!qemu.ends_within(std::time::Duration::from_secs(21)), "nobody is there to end it");
    sandbox.kvmtest(["env", "gc"]).code(0).says(["VM ended that nothing held any more: vm1"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn a_machine_that_was_killed_is_cleared_up_after() {
    let sandbox = Sandbox::new();
    let qemu = keep(&sandbox, &[]);
    qemu.signal(Signal::KILL);
    ends(&qemu);
    sandbox.kvmtest(["env"]).code(0).says(["no machine lives"]);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["remains of the dead VM removed: vm1"]);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["nothing to clear up"]);
    sandbox.is_empty();
}

#[test]
fn a_dead_machine_is_left_to_the_run_that_uses_it() {
    let sandbox = Sandbox::new();
    let (run, mut notes, qemu) = silent(&sandbox);
    notes.wait_for("listened-to");
    // Nothing sees yet that it dies. It has no lock meanwhile, which others would wait for.
    let envs = sandbox.runtime().join("envs");
    loop {
        run.signal(Signal::STOP);
        while !run.process().is_stopped() {
            std::thread::yield_now();
        }
        if !envs.join("default.lock").exists() {
            break;
        }
        run.signal(Signal::CONT);
        std::thread::yield_now();
    }
    qemu.signal(Signal::KILL);
    ends(&qemu);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["nothing to clear up"]);
    sandbox.fake("obeys", &["boot", "--results", "other"]).code(0).does_not_say("dead VM");
    run.signal(Signal::CONT);
    // How it ended was written down in what it left.
    run.end().code(1).says(["QEMU was killed by SIGKILL"]);
    sandbox.is_empty();
}

#[test]
fn two_runs_at_once_have_a_machine_each() {
    let sandbox = Sandbox::new();
    let (first, _notes, qemu) = silent(&sandbox);
    sandbox.fake("obeys", &["boot"]).code(0).says(["PASS   boot"]);
    assert!(lives(&qemu), "it is the other run's");
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["in use by a run"]);
    assert!(pid_is_listed(&list, &qemu), "{list}");
    sandbox.kvmtest(["env", "kill"]).code(0).says(["left alone, a run is using it: vm1"]);
    sandbox.kvmtest(["env", "gc"]).code(0).says(["nothing to clear up"]);
    assert!(lives(&qemu));
    first.signal_group(Signal::INT);
    first.end().code(130);
    let runs = sandbox.work.join("results").read_dir_utf8().expect("results").count();
    assert_eq!(runs, 4, "two runs, `latest` and the history of both");
    sandbox.is_empty();
}

#[test]
fn a_machine_that_a_run_is_using_is_ended_by_force_only() {
    let sandbox = Sandbox::new();
    let (run, mut notes, qemu) = silent(&sandbox);
    notes.wait_for("listened-to");
    let refused = sandbox.kvmtest(["env", "kill", "vm1"]);
    refused.code(3).is_clean().says(["left alone, a run is using it: vm1", "kill -INT", "--force"]);
    assert!(lives(&qemu));
    sandbox.kvmtest(["env", "kill", "--force", "vm1"]).code(0).says(["ended: vm1"]);
    ends(&qemu);
    run.end().code(1).says(["QEMU was killed by SIGKILL"]);
    assert_eq!(sandbox.result()["finished"]["cause"], "qemu-died");
    sandbox.kvmtest(["env", "kill", "--force"]).code(2);
    sandbox.is_empty();
}

#[test]
fn who_wants_into_a_machine_that_a_run_is_using_is_told() {
    let sandbox = Sandbox::new();
    let (run, mut notes, _qemu) = silent(&sandbox);
    notes.wait_for("listened-to");
    let console = sandbox.start(["console", "vm1"]).types("\x1d").end();
    console.code(0).is_clean().says(["a run is using vm1", "waits for the test's end"]);
    let wait = |what: &[&str]| {
        let mut command = sandbox.command(what);
        let mut waiting =
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut words = BufReader::new(waiting.stderr.take().expect("a pipe"));
        let mut line = String::new();
        words.read_line(&mut line).expect("told at once");
        assert!(line.contains("a run is using vm1") && line.contains("the test's end"), "{line}");
        (waiting, words)
    };
    let all = [wait(&["ssh", "vm1", "true"]), wait(&["monitor", "vm1", "info", "status"])];
    run.signal_group(Signal::INT);
    run.end().code(130);
    for (mut waiting, mut words) in all {
        let mut rest = String::new();
        words.read_to_string(&mut rest).expect("text");
        waiting.wait().expect("it ends");
        assert!(!rest.contains("cannot be read"), "{rest}");
    }
    sandbox.is_empty();
}

#[test]
fn a_guard_works_where_nothing_is_in_its_way() {
    let sandbox = Sandbox::new();
    let qemu = keep(&sandbox, &[]);
    let guard = qemu.parent().expect("its guard");
    let place = std::fs::read_link(format!("/proc/{}/cwd", guard.pid)).expect("it lives");
    assert_eq!(place.to_str(), Some("/"));
    let other = sandbox.kvmtest(["console", "--env", "nix", "vm1"]);
    other.code(3).says(["no living VM is called `vm1` in `nix`; `vm1` lives in `default`"]);
    let nobody = sandbox.kvmtest(["env", "kill", "--env", "nix", "vm2"]);
    nobody.code(3).says(["no living VM is called `vm2` in `nix`; no VM lives there"]);
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}

#[test]
fn a_pipeline_ends_with_the_run_though_its_machine_lives_on() {
    let sandbox = Sandbox::new();
    // `Running::end` waits for the end of both pipes.
    let qemu = keep(&sandbox, &[]);
    assert!(lives(&qemu));
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}
