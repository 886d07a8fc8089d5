//! `results.tap`: the Test Anything Protocol, version 14.

use std::fmt::Write;

use serde_json::json;

use super::record::Record;
use super::text::{for_terminal, one_line};
use super::whole::{TestRecord, Whole};
use crate::outcome::Outcome;

/// The run as TAP 14.
///
/// A test is one line, `ok` or `not ok`; SKIP and CANCEL have the directive `SKIP`, known failures
/// the directive `TODO`. What else is known follows as YAML, every value in the form that JSON has
/// as well. A run that was interrupted, ended early (`--fail-fast`) or never
/// ended bails out.
pub(super) fn tap(whole: &Whole) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", whole.planned());
    for (test, number) in whole.tests().zip(1..) {
        point(&mut text, number, test);
    }
    for (_, remark) in &whole.remarks {
        line(&mut text, format_args!("# {}", plain(remark)));
    }
    for (number, why) in &whole.broken {
        line(&mut text, format_args!("# line {number} of the events is broken: {}", plain(why)));
    }
    if let Some(all) = whole.transitions() {
        line(&mut text, format_args!("# {all}"));
    }
    let not_run = whole.counts().not_run;
    if whole.end.is_none() {
        text.push_str("Bail out! the events end before the run did\n");
    } else if whole.interrupted() {
        line(&mut text, format_args!("Bail out! interrupted; {not_run} not run"));
    } else if not_run > 0 {
        // `--fail-fast`, `abort_on_error`.
        line(&mut text, format_args!("Bail out! the run ended early; {not_run} not run"));
    }
    text
}

fn point(text: &mut String, number: usize, test: &TestRecord) {
    let record = &test.last;
    let outcome = record.outcome();
    let ok = if outcome.is_failure() { "not ok" } else { "ok" };
    let message = record.finished.as_ref().map_or("", |finished| &finished.message);
    let known = record.finished.as_ref().and_then(|finished| finished.known.as_ref());
    let directive = match (outcome, known) {
        (_, Some(known)) => format!(" # TODO known failure: {}", escaped(&known.to_string())),
        (Outcome::Skip, None) => format!(" # SKIP {}", escaped(message)),
        (Outcome::Cancel, None) => format!(" # SKIP cancelled: {}", escaped(message)),
        (_, None) => String::new(),
    };
    let name = escaped(&record.label());
    line(text, format_args!("{}", format!("{ok} {number} - {name}{directive}").trim_end()));
    diagnostics(text, record, test.earlier.len());
}

/// What else is known of a test. JSON in one line is YAML as well.
fn diagnostics(text: &mut String, record: &Record, tries: usize) {
    let mut entries = vec![("outcome", json!(record.word())), ("name", json!(record.started.name))];
    match &record.finished {
        None => entries.push(("message", json!("the events end before the test did"))),
        Some(finished) => {
            entries.push(("duration_ms", json!(finished.duration_ms)));
            let mut add = |key, value: Option<serde_json::Value>| {
                entries.extend(value.map(|value| (key, value)));
            };
            let words = |words: &str| (!words.is_empty()).then(|| json!(words));
            add("cause", finished.cause.map(|cause| json!(cause.words())));
            add("message", words(&finished.message));
            add("while", (!finished.contexts.is_empty()).then(|| json!(finished.contexts)));
            add("at", finished.location.as_ref().map(|place| json!(place)));
            add("flaky", finished.flaky.then(|| json!(true)));
            add("known", finished.known.as_ref().map(|known| json!(known)));
            add("warnings", (!record.warnings.is_empty()).then(|| json!(record.warnings)));
        }
    }
    if !record.transitions.is_empty() {
        entries.push(("transitions", json!(record.transitions)));
    }
    if tries > 0 {
        entries.push(("tries", json!(tries + 1)));
    }
    entries.push(("directory", json!(record.started.directory)));
    text.push_str("  ---\n");
    for (key, value) in entries {
        line(text, format_args!("  {key}: {}", harmless(&value.to_string())));
    }
    text.push_str("  ...\n");
}

/// JSON that is ASCII: what YAML does not take as it is, and what a terminal would obey, escaped.
fn harmless(json: &str) -> String {
    let mut clean = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if matches!(c, ' '..='~') {
            clean.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(clean, "\\u{unit:04x}");
            }
        }
    }
    clean
}

/// A description: one line, in which nothing begins a directive.
fn escaped(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn plain(text: &str) -> String {
    for_terminal(&one_line(text))
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{arguments}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Recorded, TestFinished, TestStarted, What};
    use crate::report::sample;

    fn shown(whats: impl IntoIterator<Item = What>) -> String {
        tap(&Whole::of(&Recorded { events: sample::events(whats), broken: Vec::new() }))
    }

    #[test]
    fn a_run_reads_like_this() {
        insta::assert_snapshot!(shown(sample::varied()), @r#"
    TAP version 14
    1..9
    ok 1 - boot
      ---
      outcome: "PASS"
      name: "q35.small.boot"
      duration_ms: 4310
      directory: "001-boot"
      ...
    not ok 2 - reboot (2)
      ---
      outcome: "FAIL"
      name: "q35.small.reboot"
      duration_ms: 4310
      cause: "guest did not boot"
      message: "no prompt within 5 s\u001b]0;owned\u0007"
      while: ["rebooting vm1","running `uname`"]
      at: "src/reboot.rs:17:9"
      directory: "002-reboot"
      ...
    ok 3 - shutdown
      ---
      outcome: "WARN"
      name: "q35.small.shutdown"
      duration_ms: 4310
      warnings: ["it took long"]
      directory: "003-shutdown"
      ...
    ok 4 - migrate
      ---
      outcome: "PASS"
      name: "q35.small.migrate"
      duration_ms: 4310
      flaky: true
      tries: 2
      directory: "004-migrate.2"
      ...
    not ok 5 - ping # TODO known failure: slirp has no IPv6 here (https://example.org/7)
      ---
      outcome: "KNOWN"
      name: "q35.small.ping"
      duration_ms: 4310
      message: "no answer"
      known: {"reason":"slirp has no IPv6 here","link":"https://example.org/7"}
      directory: "005-ping"
      ...
    ok 6 - nic # SKIP needs two NICs
      ---
      outcome: "SKIP"
      name: "q35.small.nic"
      duration_ms: 4310
      message: "needs two NICs"
      directory: "006-nic"
      ...
    ok 7 - lab # SKIP cancelled: the lab is closing
      ---
      outcome: "CANCEL"
      name: "q35.small.lab"
      duration_ms: 4310
      message: "the lab is closing"
      directory: "007-lab"
      ...
    not ok 8 - disk
      ---
      outcome: "ERROR"
      name: "q35.small.disk"
      duration_ms: 4310
      message: "guest `wide` is not built"
      directory: "008-disk"
      ...
    # the disk is full
    Bail out! the run ended early; 1 not run
    "#);
    }

    #[test]
    fn a_run_that_never_ended_bails_out() {
        let events = [sample::run_started(2), What::TestStarted(sample::test_started(1, "boot"))];
        let text = shown(events);
        assert!(text.contains("\nnot ok 1 - boot\n"), "{text}");
        assert!(text.ends_with("Bail out! the events end before the run did\n"), "{text}");
    }

    /// Every line is one that the protocol knows, whatever the text in it.
    #[test]
    fn what_a_guest_sent_makes_no_line() {
        for nasty in sample::NASTY {
            let started = TestStarted { shortname: nasty.into(), ..sample::test_started(1, "x") };
            let finished = TestFinished {
                message: nasty.into(),
                contexts: vec![nasty.into()],
                ..sample::test_finished(1, Outcome::Skip)
            };
            let mut whats = vec![sample::run_started(1)];
            whats.extend(sample::test(started, finished));
            whats.push(What::Remark { message: nasty.into() });
            whats.push(sample::run_finished(crate::event::Counts::default()));
            let text = shown(whats);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines[..2], ["TAP version 14", "1..1"]);
            assert!(lines[2].starts_with("ok 1 - "), "{text}");
            let hashes = lines[2].replace("\\\\", "").replace("\\#", "");
            assert_eq!(hashes.matches('#').count(), 1, "{text}");
            assert_eq!(lines[3], "  ---");
            let yaml = lines[4..].iter().take_while(|line| **line != "  ...");
            for line in yaml.clone() {
                let (_, value) = line.split_once(": ").expect("a key");
                serde_json::from_str::<serde_json::Value>(value).expect(value);
                assert!(value.is_ascii());
            }
            let after = &lines[4 + yaml.count()..];
            assert!(after.len() == 2 && after[1].starts_with("# "), "{text}");
        }
    }
}
