//! Guests that do not as they are told: each ends its test soon, with the cause and the evidence.

use kvmtest_tests::{Ended, PATIENCE, Sandbox};
use serde_json::Value;

/// Runs `what` in `role`, which fails, and gives back what was said and the test's result.
#[track_caller]
fn fails(sandbox: &Sandbox, role: &str, what: &[&str]) -> (Ended, Value) {
    let ended = sandbox.fake(role, what);
    ended.code(1).is_clean();
    let result = sandbox.result();
    assert_eq!(result["finished"]["outcome"], "FAIL", "{result:#}");
    sandbox.is_empty();
    (ended, result)
}

/// What goes wrong in `role` is told by each of `parts`.
#[track_caller]
fn check<const N: usize>(role: &str, what: &[&str], kind: &str, parts: [&str; N]) {
    let sandbox = Sandbox::new();
    let (ended, result) = fails(&sandbox, role, what);
    ended.says(parts);
    assert_eq!(result["finished"]["kind"], kind, "{result:#}");
}

#[test]
fn a_kernel_that_panics() {
    let parts = ["FAIL   boot", "panicked: [    0.500000] Kernel panic - not syncing", "no soul"];
    check("panics", &["boot"], "guest-panicked", parts);
    check("panics-quietly", &["boot"], "guest-panicked", ["the VM `vm1` panicked"]);
}

#[test]
fn a_machine_that_finds_nothing_to_boot() {
    let parts = ["says that it cannot boot: No bootable device"];
    check("finds-no-disk", &["boot"], "guest-not-booted", parts);
}

#[test]
fn a_guest_that_hangs() {
    let parts = ["no login within 3.0 s", "serial-vm1.log"];
    check("silent", &["boot", "login_timeout = 3"], "login-timeout", parts);
    // Whatever the subtest thinks of it, the test has a deadline of its own.
    let parts = ["did not end within 5s (`test_timeout`)", "logging in to the VM `vm1`"];
    check("silent", &["boot", "test_timeout = 5"], "test-timeout", parts);
}

#[test]
fn a_guest_that_never_comes_back_from_its_reboot() {
    let what = ["reboot", "login_timeout = 3"];
    let parts = ["logging in to the VM `vm1` after its reboot", "no login within"];
    check("stays-away", &what, "login-timeout", parts);
}

#[test]
fn a_guest_that_powers_off_early() {
    let parts = ["the VM `vm1`", "powered off"];
    check("powers-off", &["boot"], "vm-dead", parts);
}

#[test]
fn a_guest_that_does_not_power_off() {
    for method in ["system_powerdown", "shutdown"] {
        let parts = ["the VM `vm1` did not shut down within 2s"];
        check("stays-on", &[method, "shutdown_timeout = 2"], "vm-dead", parts);
    }
}

#[test]
fn a_wrong_password() {
    let parts = ["vm1-serial: the guest", "fake login: root", "Login incorrect"];
    check("obeys", &["boot", "password = swordfish"], "login-authentication", parts);
}

#[test]
fn a_command_that_never_ends() {
    let sandbox = Sandbox::new();
    let (ended, result) = fails(&sandbox, "hangs-in-command", &["reboot", "test_timeout = 3"]);
    ended.says(["did not end within 3s"]);
    assert_eq!(result["finished"]["kind"], "test-timeout");
}

#[test]
fn qemu_is_killed_while_a_session_runs_a_command() {
    let parts = ["the VM `vm1` is dead: QEMU was killed by SIGKILL"];
    check("dies-in-command", &["reboot"], "vm-dead", parts);
}

#[test]
fn qemu_is_killed_while_a_monitor_executes_a_command() {
    let sandbox = Sandbox::new();
    let (ended, _) = fails(&sandbox, "dies-in-monitor", &["system_reset"]);
    ended.says(["FAIL   system_reset", "system_reset"]);
}

#[test]
fn a_guest_that_floods_its_console() {
    let sandbox = Sandbox::new();
    sandbox.fake("floods", &["reboot"]).code(0).is_clean();
    sandbox.is_empty();
}

#[test]
fn a_flood_before_a_panic_steers_no_terminal_and_breaks_no_report() {
    let sandbox = Sandbox::new();
    let (ended, _) = fails(&sandbox, "floods-and-panics", &["boot"]);
    ended.says(["Kernel panic - not syncing: no soul"]);
    let junit = std::fs::read_to_string(sandbox.latest().join("junit.xml")).expect("UTF-8");
    assert!(junit.chars().all(|c| !c.is_control() || c == '\n'), "a control character");
    assert_eq!(junit.matches("</failure>").count(), 1, "markup of the guest's");
}

/// Too long for every day; a release build has done with it in a quarter of a minute.
#[test]
fn a_gigabyte_on_the_console() {
    if std::env::var_os("KVMTEST_GIGABYTE").is_none() {
        kvmtest_tests::skip(
            "KVMTEST_GIGABYTE=1 makes a guest print a gigabyte, which takes a while",
        );
        return;
    }
    let sandbox = Sandbox::new();
    let run = sandbox.fake_run("floods", &["boot", "login_timeout = 600"]);
    // No process of the run may need half a gigabyte of memory for it.
    let mut limited = std::process::Command::new("prlimit");
    limited.arg("--as=536870912").arg(run.get_program()).args(run.get_args());
    limited.envs(run.get_envs().filter_map(|(key, value)| Some((key, value?))));
    sandbox.enclose(&mut limited);
    limited.env("FAKE_QEMU", "floods").env("FAKE_QEMU_MIB", "1024");
    let ended = kvmtest_tests::Running::start(&mut limited).end_within(6 * PATIENCE);
    ended.code(0).is_clean();
    let log = sandbox.latest().join("001-boot/serial-vm1.log");
    let size = std::fs::metadata(&log).expect("kept").len();
    assert!(size < 100 << 20, "{size} bytes of the console are kept");
    assert!(!std::fs::read(&log).expect("kept").is_empty());
}
