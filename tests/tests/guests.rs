//! Real guests under a real QEMU: few, for each boots a machine.

use kvmtest_tests::{Ended, PATIENCE, Process, Running, Sandbox, tree};
use rustix::process::Signal;

/// A sandbox in which the guest `small` boots; where none can be had, it is said why.
fn sandbox() -> Option<Sandbox> {
    Sandbox::with_guests().map_err(|missing| kvmtest_tests::skip(&missing.to_string())).ok()
}

/// The process number in the only row of `kvmtest env`.
#[track_caller]
fn listed(sandbox: &Sandbox) -> i32 {
    let ended = sandbox.kvmtest(["env"]);
    let row = ended.code(0).stdout.lines().find(|line| line.starts_with("vm1 "));
    let pid = row.and_then(|row| row.split_whitespace().nth(1)?.parse().ok());
    pid.unwrap_or_else(|| panic!("no machine `vm1` is listed: {ended}"))
}

/// The QEMU of `run`, once it is there.
#[track_caller]
fn qemu_of(sandbox: &Sandbox) -> Process {
    let deadline = std::time::Instant::now() + PATIENCE;
    while std::time::Instant::now() < deadline {
        let mut all = Process::all_in(&sandbox.root).into_iter();
        // Not the one that is asked what it can do.
        let wanted = |process: &Process| process.command_line().contains("guest=vm1");
        if let Some(qemu) = all.find(wanted) {
            return qemu;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no QEMU within {PATIENCE:?}");
}

#[track_caller]
fn ends(process: &Process) {
    assert!(process.ends_within(PATIENCE), "{}", process.command_line());
}

fn first_line(ended: &Ended) -> &str {
    ended.stdout.lines().next().unwrap_or_default()
}

#[test]
fn the_quick_set_passes() {
    let Some(sandbox) = sandbox() else { return };
    let ended = sandbox.kvmtest(["run"]);
    ended.code(0).is_clean().says(["5 tests in", "5 passed"]);
    sandbox.is_empty();
}

#[test]
fn a_machine_that_cannot_be_moved_or_saved_is_none_for_tests_that_do_so() {
    let Some(sandbox) = sandbox() else { return };
    let ended = sandbox.kvmtest(["run", "--set", "full", "nvme.save_restore", "nvme.boot_savevm"]);
    ended.code(0).says(["SKIP", "the machine cannot be moved or saved", "/nvme`", "2 skipped"]);
    // What knows nothing of it, at its first command.
    let perturbed = ["run", "--set", "full", "nvme.save_restore", "--perturb", "migrate@1"];
    let perturbed = perturbed.into_iter().chain(["perturb_rate = 1"]);
    let ended = sandbox.kvmtest(perturbed);
    ended.code(0).says(["SKIP", "/nvme`", "perturbing the test at checkpoint 1"]);
    sandbox.is_empty();
}

#[test]
fn what_machines_went_through_is_counted() {
    let Some(sandbox) = sandbox() else { return };
    kvmtest_tests::python_package();
    let tests = ["run", "--set", "standard", "save_restore", "balloon"];
    let ended =
        sandbox.kvmtest(tests.into_iter().chain(["perturb_rate = 1", "--perturb", "pause@1"]));
    ended.code(0).says(["2 passed; ", "transitions (pause)"]);
    let mut sum = 0;
    for test in ["save_restore", "balloon"] {
        let count = sandbox.result_of(test)["transitions"]["pause"].as_u64();
        sum += count.unwrap_or_else(|| panic!("`{test}` was not paused"));
    }
    ended.says([&*format!("2 passed; {sum} transitions (pause)")]);
    let text = std::fs::read_to_string(sandbox.latest().join("summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(summary["transitions"], serde_json::json!({ "pause": sum }));
    sandbox.is_empty();
}

#[test]
fn each_test_gets_the_machine_that_is_right_for_it() {
    let Some(sandbox) = sandbox() else { return };
    let fact = |statements: &[&str]| {
        let own = ["run", "nothing", "vm_lifetime = auto", "kill_vm = no"];
        let words = own.into_iter().chain(statements.iter().copied());
        sandbox.kvmtest(words).code(0).says(["1 passed"]);
        let result = sandbox.result();
        result["facts"]["vm_lifetime_vm1"].as_str().unwrap_or_default().to_owned()
    };
    let check = |statements: &[&str], parts: &[&str]| {
        let fact = fact(statements);
        assert!(parts.iter().all(|part| fact.contains(part)), "`{fact}` lacks some of {parts:?}");
    };
    let script = || {
        let path = sandbox.latest().join("001-nothing/qemu-vm1.sh");
        std::fs::read_to_string(path).expect("a script")
    };
    check(&["guest_use = dirty"], &["snapshot: ", "; state booted ", ", made in "]);
    let first = listed(&sandbox);
    let again = "kvmtest run nothing 'type = nothing' 'vm_lifetime = snapshot' 'kill_vm = no'";
    for part in ["#!/bin/sh\n# The machine", "from the state `booted` (", again, "console vm1\n"] {
        assert!(script().contains(part), "{part}: {}", script());
    }
    check(&[], &["living: ", "because another test may have changed", "; state booted "]);
    let second = listed(&sandbox);
    assert_ne!(first, second);
    check(&[], &["living: ", "; reused"]);
    assert_eq!(listed(&sandbox), second);
    check(&["guest_use = boot"], &["fresh: ", "; booted"]);
    assert!(!script().contains("state `booted`"), "{}", script());
    // One state is made of another, by a command and then by a subtest.
    let seen = ["vm_state = seen", "state_command_seen = echo", "state_subtest_seen = boot"];
    check(&seen, &["living: ", "; state seen ", ", made in "]);
    // A living machine in another state is another machine.
    check(&[], &["its guest is in the state `seen`, not `booted`"]);
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}

#[test]
fn a_machine_in_which_somebody_was_by_hand_is_clean_no_more() {
    let Some(sandbox) = sandbox() else { return };
    let run = |lifetime: &str, part: &str| {
        let words = ["run", "nothing", lifetime, "guest_use = clean", "kill_vm = no"];
        sandbox.kvmtest(words).code(0).says(["1 passed"]);
        let result = sandbox.result();
        let fact = result["facts"]["vm_lifetime_vm1"].as_str().unwrap_or_default().to_owned();
        assert!(fact.contains(part), "`{fact}` lacks `{part}`");
    };
    let auto = |part: &str| run("vm_lifetime = auto", part);
    auto("because it is not there");
    auto("; reused");
    // Who only looks leaves nothing.
    sandbox.start(["console", "vm1"]).types("\x1d").end().code(0);
    sandbox.kvmtest(["monitor", "vm1", "info", "status"]).code(0);
    auto("; reused");
    sandbox.start(["console", "vm1"]).types("\ntrue\n\x1d").end().code(0);
    auto("because somebody was in its guest by hand; state booted");
    auto("; reused");
    sandbox.kvmtest(["ssh", "vm1", "true"]).code(0);
    run("vm_lifetime = living", "reused, with somebody's traces in its guest");
    auto("because somebody was in its guest by hand; state booted");
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}

#[test]
fn a_machine_is_kept_reached_and_ended() {
    let Some(sandbox) = sandbox() else { return };
    let keep = ["run", "boot", "kill_vm = no", "vm_lifetime = living"];
    sandbox.kvmtest(keep).code(0);
    let pid = listed(&sandbox);
    sandbox.kvmtest(keep).code(0);
    assert_eq!(listed(&sandbox), pid, "it was reused");

    let monitor = sandbox.kvmtest(["monitor", "vm1", "info", "status"]);
    monitor.code(0).says(["VM status: running"]);
    let ssh = sandbox.kvmtest(["ssh", "vm1", "uname", "-r"]);
    assert!(first_line(ssh.code(0)).starts_with(|c: char| c.is_ascii_digit()), "{ssh}");
    sandbox.kvmtest(["ssh", "vm1", "exit 7"]).code(7);
    let console = sandbox.start(["console", "vm1"]).types("\necho $((6 * 7))\n").end();
    console.code(0).says(["Ctrl-] leaves", "the machine lives on"]);

    let qemu = Process::open(pid).expect("it lives");
    sandbox.kvmtest(["env", "kill", "vm1"]).code(0).says(["ended: vm1"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn a_kernel_that_panics_for_real() {
    let Some(sandbox) = sandbox() else { return };
    let broken = "kernel_params_extra = rdinit=/nonexistent root=/dev/nonexistent panic=0";
    let ended = sandbox.kvmtest(["run", "boot", broken]);
    ended.code(1).is_clean().says(["FAIL   boot", "panicked"]);
    assert_eq!(sandbox.result()["finished"]["kind"], "guest-panicked");
    let log = sandbox.latest().join("001-boot/serial-vm1.log");
    let log = String::from_utf8_lossy(&std::fs::read(log).expect("kept")).into_owned();
    assert!(log.contains("Kernel panic - not syncing"), "{log}");
    sandbox.is_empty();
}

#[test]
fn hardware_that_the_guest_has_no_driver_for_is_told_before_the_start() {
    let Some(sandbox) = sandbox() else { return };
    let ended = sandbox.kvmtest(["run", "boot", "nic_model = e1000"]);
    ended.code(1).says(["ERROR  boot", "e1000", "`small`", "wide"]);
    let test = sandbox.latest().join("001-boot");
    assert!(!test.join("serial-vm1.log").exists(), "nothing was started");
    sandbox.is_empty();
}

#[test]
fn a_runner_that_is_killed_takes_its_guest_along() {
    let Some(sandbox) = sandbox() else { return };
    let run = sandbox.start(["run", "boot"]);
    let qemu = qemu_of(&sandbox);
    run.signal(Signal::KILL);
    run.end();
    ends(&qemu);
    for process in Process::all_in(&sandbox.root) {
        ends(&process);
    }
    assert!(!sandbox.runtime().join("vms").exists());
    sandbox.kvmtest(["env", "gc"]).code(0);
    sandbox.is_empty();
}

#[test]
fn one_interrupt_ends_a_boot() {
    let Some(sandbox) = sandbox() else { return };
    let run = sandbox.start(["run", "boot"]);
    let qemu = qemu_of(&sandbox);
    run.signal_group(Signal::INT);
    run.end().code(130).says(["INTERRUPTED  boot"]);
    ends(&qemu);
    sandbox.is_empty();
}

#[test]
fn a_kernel_of_ones_own_needs_params_alone() {
    let Some(sandbox) = sandbox() else { return };
    let store = sandbox.root.join("cache/kvmtest/guests/small");
    let builds = store.read_dir_utf8().expect("the guest is built");
    let built = builds.filter_map(|entry| Some(entry.ok()?.into_path()));
    let built = built.filter(|path| path.join("kernel").is_file()).max().expect("a build");
    for file in ["kernel", "initrd"] {
        std::os::unix::fs::symlink(built.join(file), sandbox.work.join(file)).expect("linked");
    }
    let own = ["guest =", "images =", "kernel = kernel", "initrd = initrd"];
    let command = ["run", "boot", "kernel_params = console=ttyS0 quiet"];
    sandbox.kvmtest(command.into_iter().chain(own)).code(0).says(["PASS   boot"]);
    sandbox.is_empty();
}

/// A crate as `kvmtest new` makes it, with a copy of the shipped `boot.rs` under another name.
#[test]
fn a_copy_of_a_subtest_in_a_crate_of_ones_own_runs() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.kvmtest(["new", "mine"]).code(0).says(["kvmtest run --subtests mine hello"]);
    let boot = std::fs::read_to_string(tree().join("subtests/rust/src/boot.rs")).expect("there");
    let copy = boot.replace("run_boot", "run_arrive");
    std::fs::write(sandbox.work.join("mine/src/arrive.rs"), copy).expect("written");
    // Built beside the project's own things, so that the next time it is quick; without being
    // made fast, which takes minutes; and without a network, since all that it needs is here.
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/outside");
    let config = format!(
        "[build]\ntarget-dir = \"{target}\"\n[net]\noffline = true\n\
         [profile.release]\nopt-level = 0\n"
    );
    std::fs::create_dir(sandbox.work.join("mine/.cargo")).expect("made");
    std::fs::write(sandbox.work.join("mine/.cargo/config.toml"), config).expect("written");
    let mut command = sandbox.command(["run", "--subtests", "mine", "arrive"]);
    for (variable, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(variable).is_none() {
            let home = std::env::var("HOME").expect("a home");
            command.env(variable, format!("{home}/{below}"));
        }
    }
    let ended = Running::start(&mut command).end_within(6 * PATIENCE);
    ended.code(0).says(["PASS   arrive"]);
    sandbox.is_empty();
}

#[test]
fn a_graceful_end_is_the_guests_own() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.kvmtest(["run", "boot", "kill_vm_gracefully = yes"]).code(0);
    let log = sandbox.latest().join("001-boot/qmp-vm1-harness.jsonl");
    let log = std::fs::read_to_string(&log).expect("the monitor's log");
    assert!(log.contains("guest-shutdown"), "{log}");
    assert!(!log.contains("\"execute\":\"quit\""), "{log}");
    sandbox.is_empty();
}

#[test]
fn a_subtest_may_use_a_machine_that_was_not_prepared() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.kvmtest(["run", "boot", "main_vm = vm7", "vms ="]).code(0);
    sandbox.is_empty();
}
