//! Events to try reports with.

use kvmtest::test::Note;

use crate::event::{
    Counts, Event, Host, Phase, RunStarted, Survivor, TestFinished, TestStarted, What,
};
use crate::outcome::Outcome;

/// Events, one every hundred milliseconds.
pub(super) fn events(whats: impl IntoIterator<Item = What>) -> Vec<Event> {
    let at = "2026-01-02T03:04:05Z".parse().expect("a time");
    whats.into_iter().zip(0..).map(|(what, number)| Event { at, ms: number * 100, what }).collect()
}

pub(super) fn run_started(planned: usize) -> What {
    What::RunStarted(RunStarted {
        version: 1,
        program: "kvmtest 0.1.0".into(),
        host: Host { name: "host".into(), kernel: "6.1".into(), machine: "x86_64".into(), cpus: 2 },
        argv: vec!["kvmtest".into(), "run".into()],
        results: "results/now".into(),
        planned,
        set: Some("quick".into()),
        perturb: None,
        left_out: Vec::new(),
        sources: Vec::new(),
    })
}

pub(super) fn test_started(test: u32, name: &str) -> TestStarted {
    TestStarted {
        test,
        name: format!("q35.small.{name}"),
        shortname: name.into(),
        subtest: name.into(),
        iteration: 1,
        attempt: 1,
        worker: 1,
        directory: format!("{test:03}-{name}"),
    }
}

pub(super) fn test_finished(test: u32, outcome: Outcome) -> TestFinished {
    TestFinished {
        cause_shown_by: String::new(),
        findings: Vec::new(),
        console_tail: Vec::new(),
        console_log: None,
        session_tail: Vec::new(),
        session_log: None,
        command_script: None,
        survivors: Vec::new(),
        ended: Vec::new(),
        test,
        outcome,
        cause: None,
        retried: false,
        flaky: false,
        known: None,
        stalled_ms: 0,
        kind: None,
        message: String::new(),
        contexts: Vec::new(),
        location: None,
        output: None,
        backtrace: None,
        evidence: Vec::new(),
        duration_ms: 4310,
    }
}

/// A machine that lives on, with the ways into it.
pub(super) fn survivor(attach: &[&str]) -> Survivor {
    Survivor {
        vm: "vm1".into(),
        env: "/run/nowhere/kept-1.json".into(),
        instance: "1-1".into(),
        attach: attach.iter().map(|&way| way.to_owned()).collect(),
    }
}

pub(super) fn run_finished(counts: Counts) -> What {
    What::RunFinished { counts, duration_ms: 62_000, interrupted: false }
}

/// A test from its beginning to its end, without phases.
pub(super) fn test(started: TestStarted, finished: TestFinished) -> [What; 2] {
    [What::TestStarted(started), What::TestFinished(finished)]
}

/// What a guest may send that wants to be more than text.
pub(super) const NASTY: [&str; 14] = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]><x a=\"1\">&amp;",
    "\"'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[2J\x1b]0;owned\x07",
    "\u{9b}31m\u{85}\u{2028}\u{2029}",
    "\u{202e}gpj.exe\u{2066}",
    "\0\u{1}\u{fffe}\u{ffff}\u{feff}",
    "a\r\nb\n---\n...\nnot ok 1\nBail out!",
    "# SKIP \\# TODO",
    "&lt;b&gt; &#60; %3Cscript%3E \\u003c",
    "👩‍👩‍👧 ü 漢字 \u{301}",
];

/// Everything that can happen to a test, once.
pub(super) fn varied() -> Vec<What> {
    use Outcome::{Cancel, Error, Fail, Pass, Skip, Warn};

    use crate::event::{Cause, KnownFailure};
    let mut events = vec![run_started(9), What::TestStarted(test_started(1, "boot"))];
    for (phase, duration_ms) in [(Phase::Prepare, 100), (Phase::Run, 300), (Phase::Clean, 0)] {
        events.push(What::PhaseStarted { test: 1, phase });
        if phase == Phase::Run {
            let log = Note::Log { message: "logged in".into() };
            let fact = Note::KeyValue { key: "boot time".into(), value: "4.1 s".into() };
            events.extend([log, fact].map(|note| What::Note { test: 1, note }));
        }
        events.push(What::PhaseEnded { test: 1, phase, duration_ms, error: None });
    }
    events.push(What::TestFinished(test_finished(1, Outcome::Pass)));
    events.extend(test(
        TestStarted { iteration: 2, ..test_started(2, "reboot") },
        TestFinished {
            cause: Some(Cause::GuestDidNotBoot),
            message: "no prompt within 5 s\x1b]0;owned\x07".into(),
            contexts: vec!["rebooting vm1".into(), "running `uname`".into()],
            location: Some("src/reboot.rs:17:9".into()),
            output: Some("last words\r\n\x1b[2J".into()),
            evidence: ["debug.log", "qemu-vm1.sh", "serial-vm1.log"].map(str::to_owned).to_vec(),
            survivors: vec![survivor(&["kvmtest console vm1"])],
            stalled_ms: 12_000,
            ..test_finished(2, Outcome::Fail)
        },
    ));
    events.push(What::Remark { message: "the disk is full".into() });
    events.push(What::TestStarted(test_started(3, "shutdown")));
    events.push(What::Note { test: 3, note: Note::Warning { message: "it took long".into() } });
    events.push(What::TestFinished(test_finished(3, Outcome::Warn)));
    let flaky = test_started(4, "migrate");
    let why = "the migration ended as `failed`";
    events.extend(test(
        flaky.clone(),
        TestFinished { message: why.into(), retried: true, ..test_finished(4, Outcome::Fail) },
    ));
    events.extend(test(
        TestStarted { attempt: 2, directory: "004-migrate.2".into(), ..flaky },
        TestFinished { flaky: true, ..test_finished(4, Outcome::Pass) },
    ));
    let known = KnownFailure {
        reason: "slirp has no IPv6 here".into(),
        link: Some("https://example.org/7".into()),
    };
    events.extend(test(
        test_started(5, "ping"),
        TestFinished {
            message: "no answer".into(),
            known: Some(known),
            ..test_finished(5, Outcome::Fail)
        },
    ));
    for (number, name, outcome, why) in [
        (6, "nic", Outcome::Skip, "needs two NICs"),
        (7, "lab", Outcome::Cancel, "the lab is closing"),
        (8, "disk", Outcome::Error, "guest `wide` is not built"),
    ] {
        events.extend(test(
            test_started(number, name),
            TestFinished { message: why.into(), ..test_finished(number, outcome) },
        ));
    }
    let mut counts = Counts { not_run: 1, known: 1, flaky: 1, ..Counts::default() };
    for outcome in [Pass, Fail, Warn, Pass, Skip, Cancel, Error] {
        counts.add(outcome);
    }
    events.push(run_finished(counts));
    events
}
