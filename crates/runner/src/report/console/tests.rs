use indicatif::{InMemoryTerm, TermLike};

use super::*;
use crate::event::{Phase, TestFinished};
use crate::outcome::Outcome;
use crate::report::sample;

fn shown_of(options: ConsoleOptions, whats: Vec<What>) -> String {
    let mut out = Vec::new();
    let mut console = Console::new(&mut out, options);
    for event in sample::events(whats) {
        console.take(&event).expect("written");
    }
    drop(console);
    String::from_utf8(out).expect("UTF-8")
}

fn shown(detail: Detail) -> String {
    shown_of(ConsoleOptions::default().with_detail(detail), sample::varied())
}

#[test]
fn a_run_reads_like_this() {
    insta::assert_snapshot!(shown(Detail::Normal), @r"
    running 9 tests of the set `quick`
      PASS   boot                                     4.31 s
      FAIL   reboot (2)                               4.31 s  guest did not boot
             no prompt within 5 s\u{1b}]0;owned\u{7}
             while rebooting vm1 --> running `uname`
             at src/reboot.rs:17:9
             | last words
             its deadlines were put off by 12.00 s: the host had no time for it
             see results/now/002-reboot/ (debug.log qemu-vm1.sh serial-vm1.log)
             the machine by hand: sh results/now/002-reboot/qemu-vm1.sh
             it still lives: kvmtest console vm1
    the disk is full
      WARN   shutdown                                 4.31 s
             warning: it took long
      FAIL   migrate                                  4.31 s  try 1; it is tried again
             the migration ended as `failed`
      PASS   migrate                                  4.31 s  flaky: passed at try 2
      KNOWN  ping                                     4.31 s  known: slirp has no IPv6 here (https://example.org/7)
             no answer
             see results/now/005-ping/
      SKIP   nic                                      4.31 s
             needs two NICs
      CANCEL lab                                      4.31 s
             the lab is closing
      ERROR  disk                                     4.31 s
             guest `wide` is not built
             see results/now/008-disk/
    8 tests in 1 min 02 s: 2 passed (1 flaky), 1 skipped, 1 cancelled, 1 passed with warnings, 1 failed, 1 could not be carried out, 1 failed as known, 1 not run
    results: results/now
    ");
}

#[test]
fn how_to_get_in_is_told_where_nothing_lives() {
    let shown = |finished: TestFinished| {
        let run = vec![
            sample::run_started(1),
            What::TestStarted(sample::test_started(1, "x")),
            What::TestFinished(finished),
            sample::run_finished(Counts { fail: 1, ..Counts::default() }),
        ];
        shown_of(ConsoleOptions::default(), run)
    };
    let failed = |outcome| sample::test_finished(1, outcome);
    let lost = |outcome| TestFinished { ended: vec!["vm1".into()], ..failed(outcome) };
    let text = shown(lost(Outcome::Fail));
    assert!(text.ends_with(&format!("{HINT}\n")), "{text}");
    let survivors = vec![sample::survivor(&["kvmtest console vm1"])];
    let text = shown(TestFinished { survivors, ..failed(Outcome::Fail) });
    assert!(text.contains("it still lives: kvmtest console vm1"), "{text}");
    let known = crate::event::KnownFailure { reason: "so it is".into(), link: None };
    let quiet = [
        TestFinished { survivors: vec![sample::survivor(&["x"])], ..failed(Outcome::Fail) },
        // It had no machine, or somebody was in it.
        failed(Outcome::Fail),
        failed(Outcome::Error),
        // It might have passed, did in the end, or is expected to fail.
        lost(Outcome::Interrupted),
        TestFinished { retried: true, ..lost(Outcome::Fail) },
        TestFinished { known: Some(known), ..lost(Outcome::Fail) },
    ];
    for finished in quiet {
        let text = shown(finished.clone());
        assert!(!text.contains(HINT), "{finished:?}: {text}");
    }
}

#[test]
fn quiet_is_failures_and_the_last_line() {
    insta::assert_snapshot!(shown(Detail::Quiet), @r"
      FAIL   reboot (2)                               4.31 s  guest did not boot
             no prompt within 5 s\u{1b}]0;owned\u{7}
             while rebooting vm1 --> running `uname`
             at src/reboot.rs:17:9
             | last words
             its deadlines were put off by 12.00 s: the host had no time for it
             see results/now/002-reboot/ (debug.log qemu-vm1.sh serial-vm1.log)
             the machine by hand: sh results/now/002-reboot/qemu-vm1.sh
             it still lives: kvmtest console vm1
    the disk is full
      ERROR  disk                                     4.31 s
             guest `wide` is not built
             see results/now/008-disk/
    8 tests in 1 min 02 s: 2 passed (1 flaky), 1 skipped, 1 cancelled, 1 passed with warnings, 1 failed, 1 could not be carried out, 1 failed as known, 1 not run
    ");
}

#[test]
fn verbose_is_also_what_the_tests_say() {
    let (normal, verbose) = (shown(Detail::Normal), shown(Detail::Verbose));
    let more: Vec<&str> = verbose.lines().filter(|line| !normal.contains(line)).collect();
    insta::assert_snapshot!(more.join("\n"), @r"
    phase  boot: prepare took 100 ms
    note   boot: logged in
    note   boot: boot time = 4.1 s
    phase  boot: run took 300 ms
    phase  boot: clean took 0 ms
    note   shutdown: warning: it took long
    ");
}

#[test]
fn colour_is_all_that_a_terminal_is_sent() {
    let options = ConsoleOptions { color: true, ..ConsoleOptions::default() };
    let text = shown_of(options, sample::varied());
    assert!(text.contains("\x1b[32mPASS  \x1b[0m"), "{text:?}");
    let escapes = text.matches('\x1b').count();
    let colours = [0, 1, 2, 31, 32, 33, 36].map(|code| format!("\x1b[{code}m"));
    let known: usize = colours.iter().map(|colour| text.matches(colour).count()).sum();
    assert_eq!(escapes, known, "{text:?}");
}

/// A run in which everything that can hold text holds `text`.
fn nasty(text: &str) -> Vec<What> {
    let own = || text.to_owned();
    let started = crate::event::TestStarted { shortname: own(), ..sample::test_started(1, "x") };
    let finished = TestFinished {
        message: own(),
        contexts: vec![own()],
        location: Some(own()),
        output: Some(own()),
        evidence: vec![own()],
        survivors: vec![sample::survivor(&[text])],
        console_tail: vec![own()],
        console_log: Some(own()),
        session_tail: vec![own()],
        session_log: Some(own()),
        command_script: Some(own()),
        ended: vec![own()],
        cause_shown_by: own(),
        known: None,
        ..sample::test_finished(1, Outcome::Fail)
    };
    let known = crate::event::KnownFailure { reason: own(), link: Some(own()) };
    vec![
        sample::run_started(1),
        What::TestStarted(started.clone()),
        What::Note { test: 1, note: Note::Log { message: own() } },
        What::Note { test: 1, note: Note::Warning { message: own() } },
        What::Note { test: 1, note: Note::KeyValue { key: own(), value: own() } },
        What::Slow { test: 1, phase: Phase::Run, after_ms: 1, waiting_for: own() },
        What::TestFinished(finished.clone()),
        What::Remark { message: own() },
        What::TestStarted(started),
        What::TestFinished(TestFinished { known: Some(known), ..finished }),
        sample::run_finished(Counts { fail: 1, ..Counts::default() }),
    ]
}

#[test]
fn nothing_that_a_guest_sends_is_obeyed() {
    for text in sample::NASTY {
        let options = ConsoleOptions::default().with_detail(Detail::Verbose);
        let text = shown_of(options, nasty(text));
        let steers = text.chars().find(|c| {
            (c.is_control() && *c != '\n' && *c != '\t') || ('\u{202a}'..='\u{202e}').contains(c)
        });
        assert_eq!(steers, None, "{text:?}");
    }
}

#[test]
fn a_long_run_ends_with_what_failed() {
    let tests = (1..=12).flat_map(|number| {
        let outcome = if number == 3 { Outcome::Fail } else { Outcome::Pass };
        let message = if number == 3 { "no\nluck".into() } else { String::new() };
        let finished = TestFinished { message, ..sample::test_finished(number, outcome) };
        sample::test(sample::test_started(number, &format!("t{number}")), finished)
    });
    let counts = Counts { fail: 1, pass: 11, ..Counts::default() };
    let whats = [sample::run_started(12)].into_iter().chain(tests);
    let text =
        shown_of(ConsoleOptions::default(), whats.chain([sample::run_finished(counts)]).collect());
    let (_, end) = text.split_once("what failed:\n").expect("a list");
    assert!(
        end.starts_with("  FAIL   t3 ") && end.lines().next().unwrap_or("").ends_with("no luck")
    );
}

#[test]
fn what_is_unfinished_is_told() {
    let mut out = Vec::new();
    let mut console = Console::new(&mut out, ConsoleOptions::default());
    let whats = [sample::run_started(3), What::TestStarted(sample::test_started(1, "boot"))];
    for event in sample::events(whats) {
        console.take(&event).expect("written");
    }
    console.unfinished(Counts { not_run: 2, ..Counts::default() }, 100).expect("written");
    drop(console);
    insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"), @r"
    running 3 tests of the set `quick`
      UNFINISHED  boot                                          ?
             the events end before the test did
             see results/now/001-boot/
    0 tests in 100 ms (unfinished: the events end before the run did): 2 not run, 1 unfinished
    results: results/now
    ");
}

/// Standard output and the lines that change, on one screen.
#[derive(Clone)]
struct Both(InMemoryTerm);

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A terminal begins a line where one ends.
        self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn on_screen(term: &InMemoryTerm) -> Console<Both> {
    let out = term.clone();
    let target = move || {
        let size = out.clone();
        screen::Screen::target(Both(out.clone()), move || (size.height(), size.width()))
    };
    let options = ConsoleOptions { live: true, ..ConsoleOptions::default() };
    Console::with_target(Both(term.clone()), options, target)
}

/// What the screen shows, with all lines drawn: they are not drawn more often than anybody reads.
fn contents(console: &Console<Both>, term: &InMemoryTerm) -> String {
    console.live.iter().for_each(|live| live.suspend(|| ()));
    term.contents()
}

#[test]
fn a_terminal_shows_what_runs() {
    let term = InMemoryTerm::new(20, 70);
    let mut console = on_screen(&term);
    let long = format!("long{}", "x".repeat(200));
    let whats = [
        sample::run_started(40),
        What::TestStarted(sample::test_started(1, "boot")),
        What::PhaseStarted { test: 1, phase: Phase::Prepare },
        What::TestStarted(sample::test_started(2, &long)),
        What::Slow { test: 2, phase: Phase::Run, after_ms: 60_000, waiting_for: "a login".into() },
        What::TestFinished(sample::test_finished(1, Outcome::Fail)),
        What::TestStarted(sample::test_started(3, "evil\x1b[2J\nname")),
        What::Slow { test: 3, phase: Phase::Clean, after_ms: 1, waiting_for: "vm1's end".into() },
    ];
    let mut screens = Vec::new();
    for event in sample::events(whats) {
        console.take(&event).expect("written");
        screens.push(contents(&console, &term));
    }
    let lines = |index: usize| screens[index].lines().collect::<Vec<&str>>();
    assert!(lines(2).iter().any(|line| line.contains("boot: preparing")), "{:?}", lines(2));
    let last = lines(7);
    assert!(last[0].starts_with("running 40 tests"), "{last:?}");
    assert!(last[1].starts_with("  FAIL   boot"), "{last:?}");
    assert!(last.iter().all(|line| line.chars().count() <= 70), "{last:?}");
    assert!(
        last.iter()
            .any(|line| line.contains(r"evil\u{1b}[2J name: cleaning up: waiting for vm1's end")),
        "{last:?}"
    );
    assert!(last.last().expect("lines").contains("[1/40]"), "{last:?}");
    assert!(last.last().expect("lines").contains("1 failed"), "{last:?}");
    for test in 4..40 {
        for event in sample::events([What::TestStarted(sample::test_started(test, "many"))]) {
            console.take(&event).expect("written");
        }
    }
    let full = contents(&console, &term);
    assert!(full.lines().count() <= 20 && full.contains("26 more running"), "{full}");
    for event in sample::events([sample::run_finished(Counts::default())]) {
        console.take(&event).expect("written");
    }
    let after = term.contents();
    assert!(!after.contains("[1/40]") && !after.contains(" 0s many"), "{after}");
}

#[test]
fn a_person_who_is_let_in_is_told_all_and_then_left_alone() {
    let term = InMemoryTerm::new(40, 70);
    let mut console = on_screen(&term);
    let so_far = TestFinished {
        message: "no luck".into(),
        console_tail: vec!["last words".into()],
        ..sample::test_finished(1, Outcome::Fail)
    };
    let finished = TestFinished { evidence: vec!["debug.log".into()], ..so_far.clone() };
    let mut take = |what: What| {
        for event in sample::events([what]) {
            console.take(&event).expect("written");
        }
        contents(&console, &term)
    };
    take(sample::run_started(3));
    take(What::TestStarted(sample::test_started(1, "boot")));
    let before = take(What::TestStarted(sample::test_started(2, "other")));
    assert!(before.contains("[0/3]"), "{before}");
    let entered = take(What::Entered { test: 1, vm: "vm1".into(), so_far: Box::new(so_far) });
    for part in ["FAIL   boot", "no luck", "| last words", "see results/now/001-boot/"] {
        assert!(entered.contains(part), "`{part}` is missing:\n{entered}");
    }
    assert!(!entered.contains("[0/3]"), "{entered}");
    // Nothing else is written there until they leave, whatever happens.
    for what in [
        What::PhaseStarted { test: 2, phase: Phase::Run },
        What::Remark { message: "the disk is full".into() },
        What::TestFinished(sample::test_finished(2, Outcome::Pass)),
        What::Slow { test: 1, phase: Phase::Clean, after_ms: 1, waiting_for: "x".into() },
    ] {
        assert_eq!(take(what), entered);
    }
    let left = take(What::Left { test: 1 });
    let rest = left.strip_prefix(&entered).expect("what was there stays");
    assert!(rest.contains("the disk is full") && rest.contains("PASS   other"), "{rest}");
    assert!(rest.contains("[1/3]"), "{rest}");
    // What was told is not told again.
    let end = take(What::TestFinished(finished));
    assert_eq!((end.matches("FAIL   boot").count(), end.matches("no luck").count()), (2, 1));
    assert!(end.contains("(debug.log)"), "{end}");
}

#[test]
fn what_was_held_back_is_told_at_the_end() {
    let so_far = Box::new(sample::test_finished(1, Outcome::Fail));
    let whats = vec![
        sample::run_started(1),
        What::TestStarted(sample::test_started(1, "boot")),
        What::Entered { test: 1, vm: "vm1".into(), so_far },
        What::Remark { message: "interrupted again: leaving at once".into() },
        sample::run_finished(Counts::default()),
    ];
    let text = shown_of(ConsoleOptions::default(), whats);
    assert!(text.contains("leaving at once") && text.ends_with("results: results/now\n"), "{text}");
}
