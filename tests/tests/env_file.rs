//! Env files that are broken: told, never executed, and mended by `kvmtest env gc`.

use camino::Utf8PathBuf;
use kvmtest_tests::{Process, Running, Sandbox};

/// A sandbox with a living machine, its QEMU and its env file.
fn with_machine() -> (Sandbox, Process, Utf8PathBuf) {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("obeys", &["boot", "kill_vm = no"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    let qemu = notes.wait_for("started");
    run.end().code(0);
    let file = sandbox.runtime().join("envs/default.json");
    (sandbox, qemu, file)
}

/// With the env file broken by `damage`, every command says `part` and how it is mended.
#[track_caller]
fn check(damage: impl Fn(String) -> Vec<u8>, part: &str) {
    let (sandbox, qemu, file) = with_machine();
    let whole = std::fs::read_to_string(&file).expect("readable");
    std::fs::write(&file, damage(whole)).expect("written");
    for command in [&["env"][..], &["env", "kill"], &["ssh", "vm1"], &["monitor", "vm1", "stop"]] {
        let ended = sandbox.kvmtest(command);
        ended.code(3).is_clean().says([file.as_str(), part, "`kvmtest env gc`"]);
    }
    let collected = sandbox.kvmtest(["env", "gc"]);
    collected.code(0).is_clean().says(["broken env file moved aside", "default.json.broken-"]);
    // Nothing can say any more how the machine is to be reached, so it is not kept for an hour.
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE), "{collected}");
    collected.says(["vm1"]);
    sandbox.kvmtest(["env"]).code(0).says(["no machine lives"]);
    sandbox.fake("obeys", &["boot"]).code(0);
    let aside = file.with_file_name("").read_dir_utf8().expect("there");
    for entry in aside.map(|entry| entry.expect("listed")) {
        assert!(entry.file_name().starts_with("default.json.broken-"), "{}", entry.path());
        std::fs::remove_file(entry.path()).expect("removed");
    }
    std::fs::remove_dir(file.with_file_name("")).expect("removed");
    sandbox.is_empty();
}

#[test]
fn cut_in_half() {
    check(|whole| whole[..whole.len() / 2].into(), "is broken: EOF");
    check(|_| Vec::new(), "is broken: EOF");
}

#[test]
fn of_a_newer_version() {
    check(|whole| whole.replacen("\"version\":1", "\"version\":99", 1).into(), "is of version 99");
}

#[test]
fn full_of_garbage() {
    check(|_| b"\x1b[2J\x80\0\xff garbage".repeat(1000), "is broken: ");
    check(|_| b"{\"version\":1,\"vms\":[{}]}".to_vec(), "is broken: ");
    // What another language would execute is text here.
    check(|_| b"cos\nsystem\n(S'kill $PPID'\ntR.".to_vec(), "is broken: ");
}

#[test]
fn a_run_does_not_start_on_a_broken_file_and_leaves_it_alone() {
    let sandbox = Sandbox::new();
    let dir = sandbox.runtime().join("envs");
    std::fs::create_dir_all(&dir).expect("made");
    std::fs::write(dir.join("default.json"), "{").expect("written");
    let file = dir.join("default.json");
    sandbox.fake("obeys", &["boot"]).code(3).says([file.as_str(), "`kvmtest env gc`"]);
    assert_eq!(std::fs::read_to_string(&file).expect("there"), "{");
    sandbox.kvmtest(["env", "gc"]).code(0).says(["broken env file moved aside"]);
    sandbox.fake("obeys", &["boot"]).code(0).says(["PASS   boot"]);
    std::fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn broken_by_somebody_while_a_run_uses_it() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.fake_run("hangs-in-command", &["reboot", "test_timeout = 8"]);
    let mut notes = sandbox.notes(&mut command);
    let run = Running::start(&mut command);
    let qemu = notes.wait_for("hangs");
    std::fs::write(sandbox.runtime().join("envs/default.json"), "{").expect("written");
    let ended = run.end();
    assert!(!ended.status.success(), "{ended}");
    ended.says(["default.json is broken", "`kvmtest env gc`"]);
    // What the run cannot find any more, its guard ends.
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE));
    sandbox.kvmtest(["env", "gc"]).code(0);
    std::fs::remove_dir_all(sandbox.runtime().join("envs")).expect("removed");
}

#[test]
fn a_lease_that_is_broken_holds_nothing() {
    let (sandbox, qemu, file) = with_machine();
    let vms = sandbox.runtime().join("vms").read_dir_utf8().expect("there");
    let vm = vms.map(|entry| entry.expect("listed").into_path()).next().expect("one");
    let lease = vm.join("lease.json");
    let broken = vm.join("lease.new");
    std::fs::write(&broken, "{\"version\":1,\x1b[2J").expect("written");
    std::fs::rename(&broken, &lease).expect("renamed");
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE), "better a machine lost than leaked");
    sandbox.kvmtest(["env", "gc"]).code(0).is_clean();
    assert!(!file.exists());
    sandbox.is_empty();
}
