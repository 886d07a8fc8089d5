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
fn a_machine_is_kept_reached_and_ended() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.kvmtest(["run", "boot", "kill_vm = no"]).code(0);
    let pid = listed(&sandbox);
    sandbox.kvmtest(["run", "boot", "kill_vm = no"]).code(0);
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
