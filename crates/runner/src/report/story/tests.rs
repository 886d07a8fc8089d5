use camino::Utf8Path;

use super::{Places, Story, tail};
use crate::event::TestFinished;
use crate::outcome::Outcome;
use crate::report::record::{Record, Records};
use crate::report::sample;

/// A results directory with files of test 1.
fn results(files: &[(&str, &str)]) -> tempfile::TempDir {
    let keep = tempfile::tempdir().expect("a directory");
    let dir = keep.path().join("001-boot");
    std::fs::create_dir(&dir).expect("made");
    for (name, text) in files {
        std::fs::write(dir.join(name), text).expect("written");
    }
    keep
}

fn record(outcome: Outcome, evidence: &[&str], output: Option<&str>) -> Record {
    let finished = TestFinished {
        evidence: evidence.iter().map(|name| (*name).to_owned()).collect(),
        output: output.map(str::to_owned),
        ..sample::test_finished(1, outcome)
    };
    let mut records = Records::default();
    let events = sample::events(sample::test(sample::test_started(1, "boot"), finished));
    events.iter().find_map(|event| records.take(event)).expect("it ended")
}

fn story(dir: &tempfile::TempDir, record: &Record) -> Story {
    let results = Utf8Path::from_path(dir.path()).expect("UTF-8");
    Story::of(record, Places { results, sources: &[] })
}

/// A failed test with these last lines.
fn failed(console: &[&str], session: &[&str], output: Option<&str>) -> Record {
    let own = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
    let evidence = ["serial-vm1.log", "session-vm1.log", "qemu-vm1.sh", "qemu-vm2.sh"];
    let mut record = record(Outcome::Fail, &evidence, output);
    let finished = record.finished.as_mut().expect("it ended");
    finished.console_tail = own(console);
    finished.console_log = Some("serial-vm1.log".into());
    finished.session_tail = own(session);
    finished.session_log = Some("session-vm1.log".into());
    finished.command_script = Some("qemu-vm2.sh".into());
    record
}

#[test]
fn a_failure_shows_the_ends_of_console_and_session_as_they_were() {
    let later = "what somebody typed later\n";
    let dir =
        results(&[("serial-vm1.log", later), ("session-vm1.log", later), ("qemu-vm1.sh", "")]);
    let lines: Vec<String> = (1..=50).map(|number| format!("line {number}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let story = story(&dir, &failed(&lines, &["# uname", "Linux"], None));
    let [console, session] = &story.tails[..] else { panic!("{:?}", story.tails) };
    assert_eq!(console.title(), "the last 20 lines of serial-vm1.log");
    assert_eq!(console.lines.len(), 20);
    assert_eq!(console.lines.last().map(String::as_str), Some("line 50"));
    assert_eq!((session.of, session.title()), ("session", "session-vm1.log".into()));
    assert_eq!(session.lines, ["# uname", "Linux"]);
    // That of the main machine comes first.
    let scripts: Vec<_> = story.scripts.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(scripts, ["qemu-vm2.sh", "qemu-vm1.sh"]);
}

#[test]
fn what_passed_has_nothing_to_show() {
    let dir = results(&[("serial-vm1.log", "booting")]);
    for outcome in [Outcome::Pass, Outcome::Warn, Outcome::Skip, Outcome::Cancel] {
        let mut record = failed(&["booting"], &["# "], Some("words"));
        record.finished.as_mut().expect("it ended").outcome = outcome;
        let story = story(&dir, &record);
        assert!(story.tails.is_empty() && story.output.is_empty(), "{story:?}");
    }
}

#[test]
fn the_last_words_are_not_told_twice() {
    let dir = results(&[]);
    let said = ["$ false", "no luck", "at all"];
    let tails = |output| story(&dir, &failed(&[], &said, output)).tails.len();
    assert_eq!(tails(Some("no luck\r\n\r\n at all\r\n")), 0);
    assert_eq!(tails(Some("other words")), 1);
    assert_eq!(tails(None), 1);
    // A session over the console is there already.
    let both = |console: &[&str]| story(&dir, &failed(console, &said, None)).tails.len();
    assert_eq!(both(&["login: root", "$ false", "no luck", "at all"]), 1);
    assert_eq!(both(&["login: root", "$ false", "no luck", "at all", "panic"]), 2);
}

#[test]
fn a_log_that_is_not_there_is_not_named() {
    let dir = results(&[]);
    let mut record = failed(&["booting"], &[], None);
    let titles = |record: &Record| -> Vec<String> {
        story(&dir, record).tails.iter().map(super::Tail::title).collect()
    };
    assert_eq!(titles(&record), ["serial-vm1.log"]);
    for log in ["../serial-vm1.log", "serial-vm2.log", ""] {
        record.finished.as_mut().expect("it ended").console_log = Some(log.into());
        assert_eq!(titles(&record), [""], "{log}");
    }
}

/// The record of a test that never ended.
fn unfinished() -> Record {
    use crate::event::{Phase, What};
    let mut records = Records::default();
    for event in sample::events([
        What::TestStarted(sample::test_started(1, "boot")),
        What::PhaseStarted { test: 1, phase: Phase::Run },
    ]) {
        assert!(records.take(&event).is_none());
    }
    records.rest().next().expect("it is open")
}

#[test]
fn only_files_of_the_test_itself_are_read() {
    let dir = results(&[]);
    let outside = dir.path().join("serial-secret.log");
    std::fs::write(&outside, "secret").expect("written");
    let own = dir.path().join("001-boot");
    std::os::unix::fs::symlink(&outside, own.join("serial-link.log")).expect("made");
    std::fs::create_dir(own.join("serial-dir.log")).expect("made");
    let story = story(&dir, &unfinished());
    assert!(story.tails.is_empty(), "{:?}", story.tails);
}

#[test]
fn a_large_or_endless_line_is_cut() {
    let long = "x".repeat(200_000);
    let dir = results(&[("serial-vm1.log", &long)]);
    for record in [unfinished(), failed(&[&long], &[], None)] {
        let story = story(&dir, &record);
        let line = &story.tails[0].lines[0];
        assert!(line.chars().count() == tail::WIDEST + 1 && line.ends_with('…'));
    }
}

#[test]
fn an_unfinished_test_tells_what_it_was_at() {
    let dir = results(&[("serial-vm1.log", "booting\n")]);
    let record = unfinished();
    assert_eq!(record.word(), "UNFINISHED");
    let story = story(&dir, &record);
    assert!(story.message.contains("phase `run`"), "{}", story.message);
    assert_eq!(story.tails[0].lines, ["booting"]);
}
