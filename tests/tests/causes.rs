//! Why a test failed, from outside: on a QEMU that is none, and on a real guest.

use kvmtest_tests::{Ended, Running, Sandbox, skip};
use serde_json::Value;

/// Runs `what` on the fake QEMU in the role `role`; gives back how the test ended.
#[track_caller]
fn finished(sandbox: &Sandbox, role: &str, what: &[&str]) -> (Ended, Value) {
    let ended = sandbox.fake(role, what);
    ended.code(1).is_clean();
    let finished = sandbox.result()["finished"].clone();
    (ended, finished)
}

#[track_caller]
fn check(role: &str, what: &[&str], cause: &str, shown_by: &str) {
    let sandbox = Sandbox::new();
    let (ended, finished) = finished(&sandbox, role, what);
    assert_eq!(finished["cause"], cause, "{role}: {finished:#}\n{ended}");
    let why = finished["cause_shown_by"].as_str().unwrap_or_default();
    assert!(why.contains(shown_by), "{role}: `{why}` lacks `{shown_by}`");
    sandbox.is_empty();
}

#[test]
fn the_cause_of_each_fault() {
    check("panics", &["boot"], "guest-crashed", "no soul");
    check("panics-quietly", &["boot"], "guest-crashed", "panicked");
    check("finds-no-disk", &["boot"], "guest-did-not-boot", "No bootable device");
    check("powers-off", &["boot"], "guest-did-not-boot", "as far as the kernel");
    check("silent", &["boot", "login_timeout = 2"], "guest-did-not-boot", "as far as the kernel");
    check("silent", &["boot", "test_timeout = 5"], "guest-did-not-boot", "as far as the kernel");
    check("dies", &["boot"], "qemu-refused", "the flux capacitor");
    check("dies-in-command", &["reboot"], "qemu-died", "killed by SIGKILL");
    check("dies-in-monitor", &["system_reset"], "qemu-died", "killed by SIGKILL");
    check("opens-nothing", &["boot"], "set-up-failed", "did not open its monitors");
    check("too-old", &["boot"], "set-up-failed", "too old");
    check("obeys", &["boot", "mem = much"], "set-up-failed", "mem");
    check("hangs-in-command", &["reboot", "test_timeout = 8"], "guest-hung", "does not answer");
}

#[test]
fn what_a_failed_run_leaves_is_enough_to_begin_with() {
    let sandbox = Sandbox::new();
    let (_, finished) = finished(&sandbox, "panics", &["boot"]);
    let lines = finished["console_tail"].as_array().expect("a console");
    assert!(lines.iter().any(|line| line.as_str().is_some_and(|line| line.contains("no soul"))));
    assert_eq!(finished["command_script"], "qemu-vm1.sh");
    assert_eq!(finished["findings"][0]["sign"], "panic");
    let kept = sandbox.latest().join("001-boot");
    for file in ["evidence.json", "qemu-vm1.sh", "serial-vm1.log", "qmp-vm1-harness.jsonl"] {
        assert!(kept.join(file).is_file(), "{file}");
    }
    let evidence = std::fs::read(kept.join("evidence.json")).expect("kept");
    let evidence: Value = serde_json::from_slice(&evidence).expect("JSON");
    assert_eq!(evidence["machines"][0]["name"], "vm1");
}

#[test]
fn what_a_subtest_asks_for_fails_nothing() {
    for test in ["reboot", "system_reset", "shutdown", "system_powerdown"] {
        let sandbox = Sandbox::new();
        sandbox.fake("obeys", &[test]).code(0).says([&format!("PASS   {test}")]);
        assert!(sandbox.result()["finished"]["findings"].is_null());
        sandbox.is_empty();
    }
}

#[test]
fn a_panic_that_is_wanted_is_none() {
    let sandbox = Sandbox::new();
    let what = ["boot", "watch_action_panic = ignore", "login_timeout = 2"];
    let (_, finished) = finished(&sandbox, "panics", &what);
    assert_eq!(finished["kind"], "login-timeout");
    assert!(finished["findings"].is_null());
    sandbox.is_empty();
}

#[test]
fn a_machine_that_is_kept_is_apart_from_the_next_test() {
    let sandbox = Sandbox::new();
    let what = ["reboot", "shutdown", "test_timeout = 8", "--on-fail", "keep"];
    let mut command = sandbox.fake_run("hangs-in-command", &what);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    let first = notes.wait_for("hangs");
    // The next one has a machine of its own, and switches it off.
    run.end().code(1).says(["FAIL   reboot", "PASS   shutdown"]);
    assert!(!first.ends_within(std::time::Duration::ZERO));
    let attach = sandbox.latest().join("001-reboot/result.json");
    let attach = std::fs::read_to_string(attach).expect("kept");
    assert!(attach.contains("kvmtest monitor --env kept-1 vm1"), "{attach}");
    let list = sandbox.kvmtest(["env"]);
    list.code(0).says(["kept-1", &first.pid.to_string(), "min left"]);
    let monitor = ["monitor", "--env", "kept-1", "vm1", "info", "status"];
    sandbox.kvmtest(monitor).code(0).says(["VM status: running"]);
    sandbox
        .kvmtest(["monitor", "--env", "default", "vm1", "info", "status"])
        .says(["no living VM is called `vm1` in `default`"]);
    sandbox.kvmtest(["env", "gc"]).code(0);
    assert!(!first.ends_within(std::time::Duration::ZERO), "it has a lease");
    sandbox.kvmtest(["env", "kill", "--env", "kept-1", "vm1"]).code(0).says(["ended: vm1"]);
    assert!(first.ends_within(kvmtest_tests::PATIENCE));
    sandbox.is_empty();
}

/// The machines that live, as `kvmtest env` counts them.
fn living(sandbox: &Sandbox) -> usize {
    let list = sandbox.kvmtest(["env"]);
    list.code(0).stdout.lines().filter(|line| line.starts_with("vm1 ")).count()
}

#[test]
fn of_several_tries_the_last_one_keeps_its_machine() {
    let sandbox = Sandbox::new();
    let what = ["reboot", "test_timeout = 3", "--retries", "1", "--on-fail", "keep"];
    let ended = sandbox.fake("hangs-in-command", &what);
    ended.code(1).says(["it still lives: kvmtest console --env kept-1 vm1"]);
    assert_eq!(ended.stdout.matches("it still lives: kvmtest console").count(), 1, "{ended}");
    assert_eq!(living(&sandbox), 1);
    // The report knows whether it does.
    let report = |format: &[&str]| sandbox.kvmtest([&["report"], format].concat());
    assert_eq!(report(&[]).stdout.matches("it still lives: kvmtest console").count(), 1);
    report(&["--format", "html"]).says(["kvmtest console --env kept-1 vm1"]);
    sandbox.kvmtest(["env", "kill"]).code(0);
    report(&[]).code(0).does_not_say("still lives").says(["see /"]);
    report(&["--format", "html"]).code(0).does_not_say("kept-1");
    // Another one of that name is not it.
    let kept = sandbox.fake("hangs-in-command", &what);
    kept.code(1).says(["--env kept-1 vm1"]);
    sandbox.fake("obeys", &["boot", "kill_vm = no"]).code(0);
    let list = sandbox.kvmtest(["env"]);
    list.says(["of several called vm1, say which: kvmtest console --env ENV vm1"]);
    let results = sandbox.work.join("results");
    let mut runs: Vec<_> = results.read_dir_utf8().expect("listed").flatten().collect();
    runs.retain(|run| run.file_type().is_ok_and(|kind| kind.is_dir()));
    let first = runs.iter().map(camino::Utf8DirEntry::path).min().expect("runs");
    sandbox.kvmtest(["report", first.as_str()]).code(0).does_not_say("still lives");
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}

#[test]
fn an_interrupted_test_keeps_nothing() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("silent", &["boot", "--on-fail", "keep"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    let qemu = notes.wait_for("silent");
    run.signal_group(rustix::process::Signal::INT);
    run.end().code(130).says(["INTERRUPTED  boot"]).does_not_say("still lives");
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE));
    sandbox.is_empty();
}

#[test]
fn a_test_without_machines_is_told_no_way_into_them() {
    let sandbox = Sandbox::new();
    let hint = "again with `--on-fail keep`";
    let ended = sandbox.fake("obeys", &["boot", "vms =", "mem = much"]);
    ended.code(1).does_not_say(hint);
    sandbox.fake("hangs-in-command", &["reboot", "test_timeout = 3"]).code(1).says([hint]);
}

#[test]
fn a_shell_needs_a_terminal() {
    let sandbox = Sandbox::new();
    let ended = sandbox.fake("obeys", &["boot", "--on-fail", "shell"]);
    assert_ne!(ended.status.code(), Some(0));
    ended.says(["`--on-fail shell` needs a terminal"]);
    assert!(!sandbox.latest().exists(), "nothing was started");
    sandbox.is_empty();
}

/// Runs `what` on the small guest; gives back how the only test ended.
#[track_caller]
fn on_guest(what: &[&str]) -> Option<Value> {
    let sandbox = match Sandbox::with_guests() {
        Ok(sandbox) => sandbox,
        Err(why) => {
            skip(&why.to_string());
            return None;
        }
    };
    let args = ["run"].into_iter().chain(what.iter().copied());
    sandbox.kvmtest(args).code(1);
    let finished = sandbox.result()["finished"].clone();
    sandbox.is_empty();
    Some(finished)
}

#[test]
fn a_real_guest_that_crashes() {
    // The guest's own way to reboot is to crash, which is not what was asked for.
    let what = ["reboot", "reboot_command = echo c > /proc/sysrq-trigger"];
    let Some(finished) = on_guest(&what) else { return };
    assert_eq!(finished["cause"], "guest-crashed", "{finished:#}");
    assert_eq!(finished["outcome"], "FAIL");
    let message = finished["message"].as_str().expect("a message");
    let found = finished["findings"].to_string();
    assert!(message.contains("sysrq") || found.contains("sysrq"), "{finished:#}");
}

#[test]
fn a_real_guest_that_cannot_boot() {
    let what = ["boot", "kernel_params = root=/dev/nothing rdinit=/nothing console=ttyS0"];
    let Some(finished) = on_guest(&what) else { return };
    let cause = &finished["cause"];
    assert!(cause == "guest-crashed" || cause == "guest-did-not-boot", "{finished:#}");
    assert!(finished["findings"][0]["sign"] == "panic", "{finished:#}");
}

#[test]
fn a_real_guest_whose_processor_spins() {
    // Interrupts off, and a jump to itself: what a kernel does that hangs.
    let sandbox = match Sandbox::with_guests() {
        Ok(sandbox) => sandbox,
        Err(why) => return skip(&why.to_string()),
    };
    let mut image = vec![0; 8192];
    image[0x1f1] = 4;
    image[0x200..0x202].copy_from_slice(&[0xeb, 0x66]);
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&[0x0c, 0x02]);
    image[0x211] = 1;
    image[0x22c..0x230].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    image[0x268..0x26b].copy_from_slice(&[0xfa, 0xeb, 0xfe]);
    let kernel = sandbox.work.join("spins");
    std::fs::write(&kernel, image).expect("written");
    let kernel = format!("kernel = {kernel}");
    let args = ["run", "boot", "guest =", "images =", &kernel, "login_timeout = 12", "accel = tcg"];
    sandbox.kvmtest(args).code(1);
    let finished = sandbox.result()["finished"].clone();
    assert_eq!(finished["cause"], "guest-did-not-boot", "{finished:#}");
    let why = finished["cause_shown_by"].as_str().expect("why");
    assert!(why.contains("spins at 0x"), "{why}");
    // The script starts the same machine, and leaves nothing.
    let script = sandbox.latest().join("001-boot/qemu-vm1.sh");
    let private = sandbox.root.join("private");
    std::fs::create_dir(&private).expect("made");
    let mut command = std::process::Command::new("timeout");
    command.args(["6", "sh", script.as_str(), "-S"]).env("TMPDIR", &private);
    sandbox.enclose(&mut command);
    let ended = Running::start(&mut command).end();
    ended.code(124).says(["sockets and logs are in"]);
    let left = private.read_dir_utf8().expect("listed").count();
    assert_eq!(left, 0, "its directory is gone");
}
