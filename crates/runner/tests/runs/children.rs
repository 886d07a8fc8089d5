//! Children, good and bad.

use std::time::Duration;

use kvmtest_runner::Outcome::{Cancel, Error, Fail, Pass, Skip, Warn};
use kvmtest_runner::child::Program;
use kvmtest_runner::event::Phase;

use crate::bench::{Bench, kept};

#[test]
fn a_child_that_keeps_the_protocol_is_believed() {
    let outcome = Bench::new().script("started; pass").run();
    outcome.check(Pass, "");
    assert_eq!(outcome.phases(), [Phase::Prepare, Phase::Run, Phase::Clean]);
    Bench::new().script("started; fail because").run().check(Fail, "because");
    Bench::new().script("started; warn slow; pass").run().check(Warn, "");
    let said = |word: &str, code: u8| {
        let script =
            format!(r#"started; say '{{"event":"finished","outcome":"{word}"}}'; exit {code}"#);
        Bench::new().script(&script).run()
    };
    said("SKIP", 13).check(Skip, "");
    said("CANCEL", 14).check(Cancel, "");
    said("PASS", 10).check(Error, "said PASS, but its exit code was 10");
}

#[test]
fn the_request_says_all_that_a_child_needs() {
    let script = r#"started
        request=$(cat)
        for word in '"version":1' '"subtest":"script"' '"key":"mem"' '"value":"256"' '"env":"/'; do
            case $request in *"$word"*) ;; *) fail "lacks $word" ;; esac
        done
        pass"#;
    Bench::new().script(script).param("mem", "256").run().check(Pass, "");
}

#[test]
fn a_child_that_does_not_read_its_request_blocks_nobody() {
    let outcome = Bench::new().script("started; pass").param("big", &"x".repeat(4 << 20)).run();
    outcome.check(Pass, "");
}

#[test]
fn a_child_that_says_nothing_is_an_error() {
    Bench::new().script("exit 0").run().check(Error, "exit code 0 without saying");
    Bench::new().script("started; exit 0").run().check(Error, "exit code 0 without saying");
    Bench::new().script("started; exit 3").run().check(Error, "exit code 3");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let program = Program::new("/nowhere/at/all", Vec::<&str>::new());
    let outcome = Bench::new().program(program, "x").run();
    outcome.check(Error, "/nowhere/at/all");
    assert_eq!(outcome.phases(), [Phase::Prepare, Phase::Clean], "what was prepared is cleaned");
}

#[test]
fn garbage_is_shown_and_ends_the_child() {
    let started = std::time::Instant::now();
    let outcome = Bench::new().script("started; say 'what?'; exec sleep 600").run();
    outcome.check(Error, "broke the protocol: a line that is no event");
    assert!(outcome.only().message.contains("`what?`"));
    assert!(started.elapsed() < Duration::from_secs(300), "it was not waited for");
    Bench::new().script("printf '\\033[2J\\377\\n' >&3; exit 0").run().check(Error, "\\u{1b}[2J");
    Bench::new().script("pass").run().check(Error, "first event was not `started`");
    let torn = r#"started; printf '{"event":"fini' >&3; exit 0"#;
    Bench::new().script(torn).run().check(Error, "cut off");
    let version = r#"say '{"event":"started","version":7,"pid":1}'; exec sleep 600"#;
    Bench::new().script(version).run().check(Error, "version 7");
}

#[test]
fn a_descriptor_that_is_closed_too_early_ends_the_child() {
    let outcome = Bench::new().script("started; exec 3>&-; exec sleep 600").run();
    outcome.check(Error, "closed descriptor 3");
}

#[test]
fn a_descriptor_that_is_closed_in_time_is_no_fault() {
    let script = r#"started; say '{"event":"finished","outcome":"PASS"}'; exec 3>&-; exit 0"#;
    Bench::new().script(script).run().check(Pass, "");
}

#[test]
fn a_flood_of_events_is_cut() {
    let mut bench = Bench::new().script("started; while :; do warn x; done");
    bench.settings.limits.events = 1 << 16;
    bench.run().check(Error, "more than 65536 bytes of events");
    let mut bench = Bench::new().script("started; exec tr '\\0' x </dev/zero >&3");
    bench.settings.limits.line = 1 << 16;
    bench.run().check(Error, "a line of more than 65536 bytes");
}

#[test]
fn a_flood_of_output_is_cut_and_hurts_nobody() {
    let mut bench = Bench::new().script("started; head -c 4000000 /dev/zero; pass");
    bench.settings.limits.output = 1000;
    let results = bench.results.dir().to_owned();
    // Looked at while the directory is there: the bench removes it in the end.
    let outcome = bench.run_with(move |what, _| {
        if let kvmtest_runner::event::What::PhaseStarted { phase: Phase::Clean, .. } = what {
            let text = kept(&results, "stdout.log");
            assert!(text.len() < 1100 && text.contains("3999000 more bytes"), "{}", text.len());
        }
    });
    outcome.check(Pass, "");
}

#[test]
fn a_signal_is_named_with_the_last_words() {
    let outcome = Bench::new().script("started; echo 'last words' >&2; kill -9 $$").run();
    outcome.check(Error, "killed by SIGKILL");
    assert_eq!(outcome.only().output.as_deref(), Some("last words"));
    assert_eq!(outcome.only().evidence, ["evidence.json", "stderr.log"]);
    Bench::new().script("started; kill -SEGV $$").run().check(Error, "SIGSEGV");
    let late = r#"started; say '{"event":"finished","outcome":"PASS"}'; kill -ABRT $$"#;
    Bench::new().script(late).run().check(Error, "SIGABRT, after it had said PASS");
}

#[test]
fn a_test_past_its_deadline_is_asked_then_killed() {
    let asked = "trap interrupted TERM; started; while :; do sleep 0.01; done";
    let outcome = Bench::new().script(asked).param("test_timeout", "1").run();
    outcome.check(Fail, "did not end within 1s (`test_timeout`)");
    assert_eq!(outcome.only().contexts, ["waiting"]);
    let deaf = "trap '' TERM; started; while :; do sleep 0.01; done";
    let mut bench = Bench::new().script(deaf).param("test_timeout", "1");
    bench.settings.grace = Duration::from_millis(100);
    bench.run().check(Fail, "was killed");
}

#[test]
fn a_child_that_lingers_after_its_last_word_is_an_error() {
    let script = r#"started; say '{"event":"finished","outcome":"PASS"}'; exec sleep 600"#;
    let mut bench = Bench::new().script(script);
    bench.settings.grace = Duration::from_millis(100);
    bench.run().check(Error, "ended as PASS, but its process did not end");
}

#[test]
fn a_process_that_is_left_behind_is_named_and_killed() {
    // While it becomes what it is its name is empty.
    let left = "started; sleep 613 & until grep -qzx sleep /proc/$!/cmdline; do :; done; pass";
    let outcome = Bench::new().script(left).run();
    outcome.check(Error, "sleep 613");
    let message = &outcome.only().message;
    let pid = message.split("behind: ").nth(1).and_then(|rest| rest.split(' ').next());
    let stat = format!("/proc/{}/stat", pid.expect("a pid"));
    let gone = std::fs::read_to_string(stat).map_or(true, |stat| stat.contains(") Z "));
    // SIGKILL was sent before the verdict; the kernel carries it out in its own time.
    assert!(gone || kvmtest_gone(pid.expect("a pid")), "{message}");
}

#[test]
fn a_process_that_escapes_is_named_and_killed() {
    let escapes = [
        ("started; setsid sleep 617 & sleep 0.1; pass", "sleep 617"),
        ("started; (setsid sh -c 'sleep 619 & exit' &) ; sleep 0.2; pass", "sleep 619"),
        ("started; setsid sh -c 'trap \"\" TERM HUP; sleep 623' & sleep 0.1; pass", "sleep 623"),
    ];
    for (script, command) in escapes {
        let outcome = Bench::new().script(script).run();
        outcome.check(Error, command);
        outcome.check(Error, "the test left processes behind");
        let others = std::fs::read_dir("/proc").expect("listed").filter_map(|entry| {
            let path = entry.ok()?.path().join("cmdline");
            Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).replace('\0', " "))
        });
        assert_eq!(others.filter(|other| other.trim() == command).count(), 0, "it is gone");
    }
}

#[test]
fn what_a_failed_test_leaves_behind_is_added_to_its_failure() {
    let outcome = Bench::new().script("started; setsid sleep 627 & sleep 0.1; fail badly").run();
    outcome.check(Fail, "badly; the test left processes behind: ");
    let deaf = "trap '' TERM; started; setsid sleep 629 & while :; do sleep 0.01; done";
    let mut bench = Bench::new().script(deaf).param("test_timeout", "500ms");
    bench.settings.grace = Duration::from_millis(100);
    let outcome = bench.run();
    outcome.check(Fail, "was killed; the test left processes behind: ");
    outcome.check(Fail, "sleep 629");
    assert_eq!(outcome.only().message.matches("sleep").count(), 1, "{:?}", outcome.only());
}

#[test]
fn a_test_that_leaves_processes_faster_than_they_are_killed_ends_all_the_same() {
    let script = "started; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do setsid sleep 63$i & done
        sleep 0.3; pass";
    let outcome = Bench::new().script(script).run();
    outcome.check(Error, " and 4 more");
}

#[test]
fn memory_can_be_limited() {
    let hungry = "started; a=xxxxxxxx; while :; do a=$a$a; done; pass";
    let outcome = Bench::new().script(hungry).param("test_memory", "64").run();
    outcome.check(Error, "(`test_memory`)");
    outcome.check(Error, "may have 64 MiB");
    let modest = "started; ulimit -d >&2; pass";
    Bench::new().script(modest).param("test_memory", "64M").run().check(Pass, "");
    let wrong = Bench::new().script("started; pass").param("test_memory", "lots").run();
    wrong.check(Error, "`test_memory` must be");
}

/// Waits, on an event, for a process to be gone.
fn kvmtest_gone(pid: &str) -> bool {
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    let Ok(fd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return true;
    };
    let deadline = kvmtest::Deadline::after(Duration::from_secs(60));
    kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&fd)], deadline).expect("no error")[0]
}

#[test]
fn a_daemon_that_holds_the_descriptors_open_holds_nothing_up() {
    // Like a machine, it does not carry the test's mark, and is not the test's to answer for.
    let script = "started; env -u KVMTEST_MARK setsid sleep 5 & pass";
    let started = std::time::Instant::now();
    let outcome = Bench::new().script(script).run();
    assert_eq!(outcome.finished.len(), 1);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_test_without_a_program_says_why() {
    let bench = Bench::new().script("").with(|test| test.program = Err("no subtest `x`".into()));
    let outcome = bench.run();
    outcome.check(Error, "no subtest `x`");
    assert!(outcome.phases().is_empty());
}

#[test]
fn a_timeout_that_is_no_time_is_an_error_before_anything_runs() {
    let outcome = Bench::new().script("started; pass").param("test_timeout", "soon").run();
    outcome.check(Error, "`test_timeout` must be a time");
    assert!(outcome.phases().is_empty());
}
