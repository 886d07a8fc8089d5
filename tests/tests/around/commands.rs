//! `pre_command`, `post_command`, profilers, `abort_on_error`.

use kvmtest_tests::Sandbox;

use crate::{failing, kept, outcome, passing, warnings};

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.work.join(name)).unwrap_or_default()
}

#[test]
fn commands_run_before_and_after_and_know_the_test() {
    let sandbox = Sandbox::new();
    let ended = passing(
        &sandbox,
        &[
            "greeting = it's \"$(touch pwned)\"",
            "pre_command = printf 'pre %s %s\\n' \"$KVM_TEST_greeting\" \"$KVMTEST_FAILED\" >> log",
            "post_command = echo post \"$KVMTEST_TEST\" >> log; echo said; ls \"$KVMTEST_RESULTS_DIR\" >> log",
        ],
    );
    ended.code(0);
    let log = read(&sandbox, "log");
    assert!(log.starts_with("pre it's \"$(touch pwned)\" no\npost "), "{log}");
    assert!(log.contains("params.json"), "{log}");
    assert!(!sandbox.work.join("pwned").exists());
    assert_eq!(
        std::fs::read_to_string(kept(&sandbox, "post_command.log")).expect("kept"),
        "said\n"
    );
    assert!(!kept(&sandbox, "pre_command.log").exists(), "it said nothing");
    sandbox.is_empty();
}

#[test]
fn a_pre_command_that_fails_is_an_error_and_the_post_command_runs() {
    let sandbox = Sandbox::new();
    let ended = passing(
        &sandbox,
        &["pre_command = echo no luck; exit 9", "post_command = echo \"$KVMTEST_FAILED\" >> log"],
    );
    ended.code(1).says(["ERROR  boot", "exit status: 9: no luck", "pre_command"]);
    assert_eq!(read(&sandbox, "log"), "yes\n");
    sandbox.is_empty();
}

#[test]
fn a_command_that_is_not_critical_warns() {
    let sandbox = Sandbox::new();
    for key in ["pre_command", "post_command"] {
        let ended =
            passing(&sandbox, &[&format!("{key} = false"), &format!("{key}_noncritical = yes")]);
        ended.code(0).says(["WARN"]);
        assert!(warnings(&sandbox).contains(&format!("`{key}`: `false` failed")));
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let sandbox = Sandbox::new();
    let ended = passing(
        &sandbox,
        &["pre_command = sleep 1000 & sleep 1000", "pre_command_timeout = 300ms"],
    );
    ended.code(1).says(["ERROR  boot", "did not end within 0.3 s"]);
    sandbox.is_empty();
}

#[test]
fn a_post_command_that_fails_costs_a_test_that_passed() {
    let sandbox = Sandbox::new();
    passing(&sandbox, &["post_command = exit 3"]).code(1).says(["ERROR  boot", "exit status: 3"]);
    let ended = failing(&sandbox, &["post_command = exit 3"]);
    ended.says(["FAIL", "cleaning up failed as well", "exit status: 3"]);
    assert_eq!(outcome(&sandbox), "FAIL");
    sandbox.is_empty();
}

#[test]
fn what_a_pre_command_leaves_serves_the_test_and_is_ended() {
    let sandbox = Sandbox::new();
    let ended = passing(
        &sandbox,
        &[
            "pre_command = sleep 1000 & echo $! > pid",
            "post_command = kill -0 \"$(cat pid)\" && echo lives >> log",
        ],
    );
    ended.code(0).says(["WARN"]);
    assert_eq!(read(&sandbox, "log"), "lives\n");
    assert!(warnings(&sandbox).contains("killed what `pre_command` left running: process"));
    sandbox.is_empty();
    // It takes its time to end.
    let slow = "pre_command = sh -c 'trap \"sleep 0.2; exit\" TERM; echo $$ > pid; \
                while :; do sleep 0.01; done' & while [ ! -s pid ]; do sleep 0.01; done";
    let tidy = [slow, "post_command = kill \"$(cat pid)\""];
    passing(&sandbox, &tidy).code(0).says(["PASS"]);
    sandbox.is_empty();
}

#[test]
fn what_the_command_of_a_run_that_was_killed_left_is_found_by_the_next() {
    let sandbox = Sandbox::new();
    let mut command =
        sandbox.fake_run("silent", &["boot", "pre_command = sleep 1000 & echo $! > pid"]);
    let mut notes = sandbox.notes(&mut command);
    let run = kvmtest_tests::Running::start(&mut command);
    let qemu = notes.wait_for("silent");
    let pid = read(&sandbox, "pid").trim().parse().expect("a number");
    let left = kvmtest_tests::Process::open(pid).expect("it runs");
    run.signal(rustix::process::Signal::KILL);
    run.end();
    assert!(qemu.ends_within(kvmtest_tests::PATIENCE));
    passing(&sandbox, &[]).code(0);
    assert!(left.ends_within(kvmtest_tests::PATIENCE));
    sandbox.is_empty();
}

#[test]
fn another_command_runs_after_a_failure() {
    let sandbox = Sandbox::new();
    let keys = ["post_command = echo well >> log", "post_command_on_error = echo badly >> log"];
    passing(&sandbox, &keys).code(0);
    failing(&sandbox, &keys);
    assert_eq!(read(&sandbox, "log"), "well\nbadly\n");
}

#[test]
fn what_a_step_cannot_read_is_refused_before_anything_is_done() {
    let sandbox = Sandbox::new();
    for (key, value) in [
        ("pre_command_timeout", "soon"),
        ("post_command_noncritical", "1"),
        ("post_command_timeout_on_error", "later"),
        ("check_image_data", "perhaps"),
        ("remove_image_data_on_error", "perhaps"),
        ("force_create_image_data", "x"),
        ("take_regular_screendumps", "x"),
        ("screendump_delay", "0"),
        ("keep_screendumps", "some"),
        ("kill_unresponsive_vms", "maybe"),
        ("setup_hugepages", "2"),
        ("abort_on_error", "x"),
        ("profilers", "oprofile"),
        ("vm_lifetime", "long"),
        ("guest_use", "tidy"),
    ] {
        let statement = format!("{key} = {value}");
        let ended =
            passing(&sandbox, &["images = data", &statement, "pre_command = echo x >> log"]);
        ended.code(1).says(["ERROR  boot", &format!("`{value}`")[..]]);
        assert_eq!(read(&sandbox, "log"), "", "{key}");
    }
    sandbox.is_empty();
}

#[test]
fn the_run_ends_after_a_test_that_says_so() {
    let sandbox = Sandbox::new();
    let what = ["boot", "reboot", "shutdown", crate::FAILS, "abort_on_error = yes"];
    let ended = sandbox.fake("silent", &what);
    ended.code(1).says([
        "`abort_on_error = yes`: nothing is started after it",
        "1 failed",
        "2 not run",
    ]);
    let ended = sandbox.fake("obeys", &["boot", "reboot", "abort_on_error = yes"]);
    ended.code(0).says(["2 passed"]);
}

#[test]
fn profilers_watch_the_subtest() {
    let sandbox = Sandbox::new();
    let ended = passing(
        &sandbox,
        &[
            "profilers = mine writer broken",
            "profiler_command_mine = trap 'echo end; exit' INT; echo begin \"$KVM_TEST_type\"; while :; do sleep 0.05; done",
            "profiler_command_writer = date > \"$KVMTEST_PROFILE_DIR/date\"",
            "profiler_command_broken = no-such-tool",
        ],
    );
    ended.code(0).says(["WARN"]);
    let profile = kept(&sandbox, "profile");
    let log = std::fs::read_to_string(profile.join("mine.log")).expect("kept");
    assert_eq!(log, "begin boot\nend\n");
    assert!(profile.join("date").is_file());
    let warnings = warnings(&sandbox);
    assert!(warnings.contains("the profiler `broken` failed (exit status: 127"), "{warnings}");
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    sandbox.is_empty();
}

#[test]
fn a_profiler_that_is_not_installed_is_a_warning_with_its_package() {
    let sandbox = Sandbox::new();
    let empty = sandbox.root.join("empty");
    std::fs::create_dir(&empty).expect("made");
    let mut command = sandbox.fake_run("obeys", &["boot", "profilers = iostat"]);
    command.env("PATH", &empty);
    kvmtest_tests::Running::start(&mut command).end().code(0).says(["WARN"]);
    let warnings = warnings(&sandbox);
    assert!(warnings.contains("no profile by `iostat`: `iostat` is not installed"), "{warnings}");
    assert!(warnings.contains("install sysstat"), "{warnings}");
}

#[test]
fn the_versions_are_kept_with_the_result() {
    let sandbox = Sandbox::new();
    passing(&sandbox, &[]).code(0);
    let result = sandbox.result();
    let facts = &result["facts"];
    assert_eq!(facts["qemu_version"], "9.2.0 (fake)", "{facts}");
    assert!(facts["host_kernel"].is_string() && facts["kvm_version"].is_string(), "{facts}");
}
