//! What a person sees and does at a terminal while tests run.

use kvmtest_tests::{Sandbox, Terminal};
use rustix::process::Signal;

/// Ctrl-].
const LEAVE: &str = "\x1d";

/// Tests of machines that cannot be switched off, with a person who is let in, and whether that
/// was seen.
fn stays_on(sandbox: &Sandbox, what: &[&str]) -> Terminal {
    let what = [what, &["shutdown_timeout = 2", "--on-fail", "shell"]].concat();
    Terminal::start(&sandbox.fake_run("stays-on", &what), 120)
}

#[test]
fn a_person_is_told_what_failed_and_then_let_in() {
    let sandbox = Sandbox::new();
    let mut terminal = stays_on(&sandbox, &["system_powerdown", "boot"]);
    // In this order.
    terminal
        .wait_for("FAIL")
        .wait_for("system_powerdown")
        .wait_for("did not shut down within")
        .wait_for("| fake:~#")
        .wait_for("see /")
        .wait_for("system_powerdown/")
        .wait_for("the run waits, and the machine vm1 lives")
        .wait_for("log in as `root` with the password `kvmtest`")
        .wait_for("Ctrl-] leaves");
    // Its prompt came when the test was there.
    terminal.types("exit\n").wait_for("fake login: ");
    assert!(terminal.is_raw());
    terminal.types("root\n").wait_for("Password: ").types("kvmtest\n").wait_for("fake:~# ");
    terminal.types(LEAVE).wait_for("you left vm1; the run goes on");
    // All is told once, and the second time where it lies.
    terminal.wait_for("FAIL").wait_for("see /").wait_for("serial-vm1.log");
    let ended = terminal.end();
    ended.code(1).does_not_say("again with `--on-fail keep`");
    assert!(!terminal.is_raw());
    let finished = &sandbox.result_of("system_powerdown")["finished"];
    // What was typed is in the log, and was not there when the test failed.
    let tail = finished["console_tail"].to_string();
    assert!(!tail.contains("login: \",\"fake login") && !tail.contains("exit"), "{tail}");
    let log = sandbox.latest().join("002-system_powerdown/serial-vm1.log");
    assert!(std::fs::read_to_string(log).expect("kept").contains("fake:~# exit"));
    let report = sandbox.kvmtest(["report"]);
    report.code(0).does_not_say("exit").does_not_say("still lives");
    sandbox.is_empty();
}

#[test]
fn one_person_is_in_one_machine_and_has_the_terminal() {
    let sandbox = Sandbox::new();
    let mut terminal = stays_on(&sandbox, &["system_powerdown", "shutdown", "--jobs", "2"]);
    let mut inside = Vec::new();
    for _ in 0..2 {
        terminal.wait_for("Ctrl-] leaves").wait_for("the run goes on\r\n");
        let from = terminal.heard();
        // The other test fails meanwhile, if it has not.
        terminal.types("\n").wait_for("fake:~# ").types("true\n").wait_for("true").types("\n");
        terminal.wait_for("fake:~# ").types(LEAVE).wait_for("you left");
        inside
            .push(String::from_utf8_lossy(&terminal.bytes()[from..terminal.heard()]).into_owned());
    }
    terminal.end().code(1).says(["2 failed"]);
    for said in inside {
        for word in ["FAIL", "/2]", "\x1b[", "see /", "shown by", "the run waits"] {
            assert!(!said.contains(word), "`{word}` is in the way: {said:?}");
        }
    }
    sandbox.is_empty();
}

#[test]
fn an_interrupt_gives_the_terminal_back() {
    let sandbox = Sandbox::new();
    let mut terminal = stays_on(&sandbox, &["system_powerdown"]);
    terminal.wait_for("Ctrl-] leaves").types("\n").wait_for("fake:~# ");
    assert!(terminal.is_raw());
    terminal.signal(Signal::TERM).wait_for("you are out of vm1: the run is to end");
    terminal.wait_for("interrupted: cleaning up").wait_for("FAIL");
    terminal.end().code(130);
    assert!(!terminal.is_raw());
    sandbox.is_empty();
}

#[test]
fn two_interrupts_give_it_back_as_well() {
    let sandbox = Sandbox::new();
    let mut terminal = stays_on(&sandbox, &["system_powerdown"]);
    // What is typed while the rest of it is still being told is not lost.
    terminal.wait_for("log in as").types("\n").wait_for("Ctrl-] leaves").wait_for("fake:~# ");
    terminal.signal(Signal::INT).signal(Signal::TERM);
    terminal.end().code(130);
    assert!(!terminal.is_raw());
    // Its guards are the last to go.
    for process in kvmtest_tests::Process::all_in(&sandbox.root) {
        assert!(process.ends_within(kvmtest_tests::PATIENCE), "{}", process.command_line());
    }
    sandbox.kvmtest(["env", "gc"]).code(0);
    sandbox.is_empty();
}

/// Whether a row of a screen is one of the lines that change.
fn is_live(row: &str) -> bool {
    row.starts_with("  [")
        || row.chars().nth(2).is_some_and(|c| ('\u{2800}'..='\u{28ff}').contains(&c))
}

#[test]
fn the_lines_that_change_leave_nothing_behind() {
    for columns in [40, 80, 200] {
        let sandbox = Sandbox::new();
        let own =
            ["boot", "reboot", "shutdown", "--jobs", "3", "login_timeout = 1", "slow_after = 0.2"];
        let mut terminal = Terminal::start(&sandbox.fake_run("silent", &own), columns);
        terminal.end().code(1);
        let mut screen = vt100::Parser::new(50, columns, 0);
        let mut seen = 0;
        // What ends a frame.
        let text = terminal.text();
        for frame in text.split_inclusive("\x1b[J") {
            screen.process(frame.as_bytes());
            let rows: Vec<String> = screen.screen().rows(0, columns).collect();
            let live: Vec<usize> = (0..rows.len()).filter(|at| is_live(&rows[*at])).collect();
            let shown = || format!("{columns} columns:\n{}", screen.screen().contents());
            for at in &live {
                let row = u16::try_from(*at).expect("fifty rows");
                assert!(!screen.screen().row_wrapped(row), "row {at} is too wide: {}", shown());
                assert!(rows[*at].chars().count() < columns.into(), "{}", shown());
            }
            // They are the last ones, of each test one, and one that counts.
            let below = rows.iter().rposition(|row| !row.trim().is_empty()).unwrap_or(0);
            if frame.ends_with("\x1b[J") {
                assert_eq!(live.last(), Some(&below), "{}", shown());
                assert!(
                    live.len() <= 4 && live.windows(2).all(|two| two[0] + 1 == two[1]),
                    "{}",
                    shown()
                );
                assert_eq!(live.iter().filter(|at| rows[**at].starts_with("  [")).count(), 1);
                seen = seen.max(live.len());
            }
        }
        assert_eq!(seen, 4, "all were seen at {columns} columns");
        let end = screen.screen().contents();
        assert!(!end.lines().any(is_live), "{end}");
        // They are written over, and away only where something is written that stays.
        let taken_away = text.matches("\x1b[2K").count();
        let frames = text.matches("\x1b[J").count();
        assert!(taken_away < 4 * 12 && taken_away < frames, "{taken_away} of {frames}");
        sandbox.is_empty();
    }
}

#[test]
fn a_window_that_is_closed_ends_the_run_in_order() {
    let sandbox = Sandbox::new();
    let what = ["boot", "reboot", "--jobs", "2", "slow_after = 0.2"];
    let mut terminal = Terminal::start(&sandbox.fake_run("silent", &what), 80);
    terminal.wait_for("reboot: logging in");
    assert_eq!(terminal.close(), Some(130));
    assert!(sandbox.latest().join("results.html").is_file());
    sandbox.is_empty();
    // And with somebody inside.
    let sandbox = Sandbox::new();
    let mut terminal = stays_on(&sandbox, &["system_powerdown"]);
    terminal.wait_for("Ctrl-] leaves").types("\n").wait_for("fake:~# ");
    assert_eq!(terminal.close(), Some(130));
    sandbox.is_empty();
}
