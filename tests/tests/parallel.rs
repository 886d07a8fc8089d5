//! Several workers: each has machines of its own, and nothing of any is left.

use kvmtest_tests::{Notes, Process, Running, Sandbox, skip};
use rustix::process::Signal;

/// A run of two workers with a guest each that says nothing, and their QEMUs.
fn silent(sandbox: &Sandbox) -> (Running, Notes, [Process; 2]) {
    let mut command = sandbox.fake_run("silent", &["boot", "shutdown", "reboot", "--jobs", "2"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    // By now the subtests listen, too.
    let qemus = [notes.wait_for("listened-to"), notes.wait_for("listened-to")];
    assert_ne!(qemus[0].pid, qemus[1].pid);
    (run, notes, qemus)
}

#[track_caller]
fn all_end(sandbox: &Sandbox, qemus: &[Process]) {
    for process in qemus {
        assert!(process.ends_within(kvmtest_tests::PATIENCE), "{}", process.command_line());
    }
    // The guards are the last to go.
    for process in Process::all_in(&sandbox.root) {
        assert!(process.ends_within(kvmtest_tests::PATIENCE), "{}", process.command_line());
    }
}

#[test]
fn two_workers_have_a_machine_and_an_env_each() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemus) = silent(&sandbox);
    let envs = sandbox.runtime().join("envs");
    let is_there = |name: &str| envs.join(name).is_file();
    assert!(is_there("default.json") && is_there("default-2.json"));
    sandbox.kvmtest(["env"]).code(0).says([
        &qemus[0].pid.to_string(),
        &qemus[1].pid.to_string(),
        "in use by a run",
    ]);
    run.signal_group(Signal::INT);
    run.end().code(130).says(["interrupted: cleaning up", "2 interrupted, 1 not run"]);
    sandbox.is_empty();
}

#[test]
fn a_runner_with_two_workers_that_is_killed_leaves_nothing() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemus) = silent(&sandbox);
    run.signal(Signal::KILL);
    run.end();
    all_end(&sandbox, &qemus);
    let left = sandbox.leftovers();
    assert!(left.iter().all(|left| left.contains("cache/kvmtest/tests/test-")), "{left:?}");
    sandbox.kvmtest(["env", "gc"]).code(0).says(["left directory removed"]);
    sandbox.is_empty();
}

#[test]
fn two_interrupts_end_two_workers_at_once() {
    let sandbox = Sandbox::new();
    let (run, _notes, qemus) = silent(&sandbox);
    run.signal_group(Signal::INT);
    run.signal_group(Signal::TERM);
    run.end().code(130);
    all_end(&sandbox, &qemus);
    sandbox.kvmtest(["env", "gc"]).code(0);
    sandbox.is_empty();
}

#[test]
fn two_runs_of_two_workers_do_not_meet() {
    let sandbox = Sandbox::new();
    let what = ["boot", "shutdown", "reboot", "system_reset", "--jobs", "2"];
    let runs: Vec<Running> =
        (0..2).map(|_| Running::start(&mut sandbox.fake_run("obeys", &what))).collect();
    for run in runs {
        run.end().code(0).says(["4 tests in", "4 passed"]);
    }
    sandbox.is_empty();
}

#[test]
fn machines_of_all_workers_are_kept_and_found_again() {
    let sandbox = Sandbox::new();
    let what = ["boot", "system_reset", "kill_vm = no", "--jobs", "2"];
    let mut command = sandbox.fake_run("obeys", &what);
    let mut notes = sandbox.notes(&mut command);
    Running::start(&mut command).end().code(0);
    let first = [notes.wait_for("started"), notes.wait_for("started")];
    let list = sandbox.kvmtest(["env"]);
    assert_eq!(list.stdout.matches("min left").count(), 2, "{list}");
    // One worker finds the machine that the first of the two had.
    Running::start(&mut sandbox.fake_run("obeys", &what[..3])).end().code(0);
    let list = sandbox.kvmtest(["env"]);
    for process in &first {
        assert!(list.stdout.contains(&process.pid.to_string()), "{list}");
    }
    sandbox.kvmtest(["env", "kill"]).code(0);
    all_end(&sandbox, &first);
    sandbox.is_empty();
}

#[test]
fn a_machine_that_dies_between_two_tests_is_started_anew() {
    let sandbox = Sandbox::new();
    let gate = sandbox.root.join("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status();
    assert!(made.is_ok_and(|status| status.success()));
    // Before each test the run waits at the gate.
    let wait = format!("pre_command = cat {gate}");
    let mut command = sandbox.fake_run("obeys", &["boot", "reboot", "kill_vm = no", &wait]);
    let mut notes = sandbox.notes(&mut command);
    // The pipe does not end with the first machine.
    let _writer = std::fs::File::options().write(true).open(&notes.path).expect("a pipe");
    let run = Running::start(&mut command);
    let open = || std::fs::File::options().write(true).open(&gate).expect("somebody waits");
    drop(open());
    let qemu = notes.wait_for("logged-in");
    let second = open();
    qemu.signal(Signal::KILL);
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE));
    drop(second);
    let again = notes.wait_for("started");
    run.end().code(0).says(["2 passed"]);
    assert_ne!(again.pid, qemu.pid);
    sandbox.kvmtest(["env", "kill"]).code(0);
    all_end(&sandbox, &[again]);
    sandbox.is_empty();
}

#[test]
fn two_workers_write_to_one_image_and_it_stays_as_it_was() {
    let sandbox = match Sandbox::with_guests() {
        Ok(sandbox) => sandbox,
        Err(why) => return skip(&why.to_string()),
    };
    let image = sandbox.work.join("disk.qcow2");
    let made = std::process::Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", image.as_str(), "16M"])
        .status();
    if !made.is_ok_and(|status| status.success()) {
        return skip("`qemu-img` is not installed");
    }
    let before = std::fs::read(&image).expect("made");
    let name = format!("image_name = {image}");
    let what = ["run", "boot", "shutdown", "images = disk", &name, "--jobs", "2"];
    sandbox.kvmtest(what).code(0).says(["2 passed"]);
    assert!(std::fs::read(&image).expect("there") == before, "it was not written to");
    let script = |test: &str| {
        std::fs::read_to_string(sandbox.latest().join(test).join("qemu-vm1.sh")).expect("kept")
    };
    for test in ["001-boot", "002-shutdown"] {
        assert!(script(test).contains("qemu-img create"), "{}", script(test));
    }
    // What a test makes is its worker's own; what it removes, too.
    let making = ["image_size = 8M", "force_create_image = yes", "check_image = yes"];
    let what = [&what[..], &making, &["remove_image = yes"]].concat();
    sandbox.kvmtest(what).code(0).says(["2 passed"]);
    assert!(std::fs::read(&image).expect("there") == before, "others may use it");
    for test in ["001-boot", "002-shutdown"] {
        assert!(!script(test).contains(image.as_str()), "{}", script(test));
    }
    sandbox.is_empty();
}
