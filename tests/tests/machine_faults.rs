//! QEMU that is missing, too old, dead or deaf: told before any guest is waited for.

use kvmtest_tests::{Ended, Sandbox, fake_qemu};

/// Runs `boot` in `role`; the machine cannot be prepared.
#[track_caller]
fn errs(sandbox: &Sandbox, role: &str, what: &[&str]) -> Ended {
    let what: Vec<&str> = ["boot"].into_iter().chain(what.iter().copied()).collect();
    let ended = sandbox.fake(role, &what);
    ended.code(1).says(["ERROR  boot"]);
    assert_eq!(sandbox.result()["finished"]["outcome"], "ERROR");
    sandbox.is_empty();
    ended
}

#[test]
fn qemu_is_too_old() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "too-old", &[]).says(["QEMU 5.2.0, which is too old: needed is 6.2.0"]);
}

#[test]
fn qemu_dies_when_it_is_asked_what_it_can_do() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "dies-when-asked", &[])
        .is_clean()
        .says(["ended at its start (exit status 3)", "the flux capacitor is not plugged in"]);
}

#[test]
fn qemu_dies_when_it_is_started() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "dies", &[]).is_clean().says([
        "exit status 3",
        "its last words: qemu: ",
        "the flux capacitor is not plugged in",
    ]);
    // Its words and the command are kept, for a try by hand.
    let kept = sandbox.latest().join("001-boot");
    let log = std::fs::read_to_string(kept.join("qemu-vm1.log")).expect("kept");
    assert!(log.contains("flux capacitor"), "{log}");
    assert!(kept.join("qemu-vm1.sh").is_file());
}

#[test]
fn qemu_never_opens_its_monitor() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "opens-nothing", &[]).says(["QEMU did not open its monitors within"]);
}

#[test]
fn a_monitor_accepts_and_never_greets() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "never-greets", &[]).says(["the monitor `harness` did not greet"]);
}

#[test]
fn a_monitor_greets_and_goes_on_in_gibberish() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "greets-with-garbage", &[])
        .is_clean()
        .says(["the monitor sent what is no JSON"]);
}

#[test]
fn qemu_hears_neither_quit_nor_a_signal() {
    let sandbox = Sandbox::new();
    sandbox.fake("ignores-signals", &["boot"]).code(0).says(["PASS   boot"]);
    sandbox.is_empty();
}

#[test]
fn qemu_is_not_there() {
    let sandbox = Sandbox::new();
    let check = |binary: &str, parts: [&str; 2]| {
        let binary = format!("qemu_binary = {binary}");
        errs(&sandbox, "obeys", &[&binary]).says(parts);
    };
    check("qemu-system-z80", ["there is no program `qemu-system-z80` on PATH", "install"]);
    check("/nowhere/qemu", ["there is no file `/nowhere/qemu`", "qemu-system-x86"]);
    let mut command = sandbox.command(["run", "boot", "guest =", "kernel = k", "images ="]);
    // Of this, /usr/sbin and the like hold no emulator.
    let empty = sandbox.root.join("empty");
    std::fs::create_dir(&empty).expect("made");
    command.env("PATH", &empty);
    let ended = kvmtest_tests::Running::start(&mut command).end();
    ended.code(1).says(["QEMU is not installed", "qemu-system-x86"]);
    sandbox.is_empty();
}

#[test]
fn a_guest_that_is_not_built() {
    let sandbox = Sandbox::new();
    let qemu = format!("qemu_binary = {}", fake_qemu());
    let ended = sandbox.kvmtest(["run", "boot", &qemu, "accel = tcg"]);
    ended.code(1).says(["ERROR  boot", "`small`", "kvmtest guest build small"]);
    sandbox.is_empty();
}

#[test]
fn a_guest_that_nobody_knows() {
    let sandbox = Sandbox::new();
    errs(&sandbox, "obeys", &["guest = smal"]).says(["`smal`", "small"]);
}

#[test]
fn params_that_make_no_machine() {
    let sandbox = Sandbox::new();
    let check = |what: &str, parts: [&str; 2]| {
        errs(&sandbox, "obeys", &[what]).says(parts).says(["<command line>"]);
    };
    check("mem = much", ["mem", "much"]);
    check("smp = 0", ["smp", "`0`"]);
    check("kill_vm = perhaps", ["kill_vm", "perhaps"]);
}

#[test]
fn params_that_a_subtest_cannot_read() {
    let sandbox = Sandbox::new();
    let config = sandbox.work.join("mine.cfg");
    let text = |timeout: &str| {
        let qemu = fake_qemu();
        format!(
            "qemu_binary = {qemu}\naccel = tcg\nvms = vm1\nmain_vm = vm1\nnics =\nkernel = k\n\
             username = root\npassword = kvmtest\nshell_client = serial\n\
             variants:\n    - boot:\n        type = boot\n        {timeout}\n"
        )
    };
    let check = |line: &str, parts: [&str; 3]| {
        std::fs::write(&config, text(line)).expect("written");
        let ended = sandbox.kvmtest(["run", "--config", config.as_str(), "boot"]);
        ended.code(1).says(parts);
        sandbox.is_empty();
    };
    check("login_timeout = soon", ["`login_timeout`", "soon", "mine.cfg:13"]);
    check("login_timeout = -3", ["`login_timeout`", "-3", "mine.cfg:13"]);
    check("unused = 1", ["ERROR  boot", "login_timeout", "not set"]);
    std::fs::write(&config, text("login_timeout = 60")).expect("written");
    sandbox.kvmtest(["run", "--config", config.as_str(), "boot"]).code(0);
}
