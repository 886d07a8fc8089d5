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

#[test]
fn a_failure_shows_the_ends_of_console_and_session() {
    let long = (1..=50).map(|number| format!("line {number}\r\n")).collect::<Vec<_>>().concat();
    let dir = results(&[
        ("serial-vm1.log", &long),
        ("session-vm1.log", "# uname\r\n\x1b[1mLinux\x1b[0m\r\n"),
        ("qemu-vm1.sh", ""),
    ]);
    let names = ["serial-vm1.log", "session-vm1.log", "qemu-vm1.sh", "serial-gone.log"];
    let story = story(&dir, &record(Outcome::Fail, &names, None));
    let [console, session] = &story.tails[..] else { panic!("{:?}", story.tails) };
    assert_eq!((console.of, console.lines.len(), console.more), ("console", 20, true));
    assert_eq!(console.lines.last().map(String::as_str), Some("line 50"));
    assert_eq!((session.of, session.more), ("session", false));
    assert_eq!(session.lines, ["# uname", "Linux"]);
    assert!(story.scripts[0].ends_with("001-boot/qemu-vm1.sh"));
}

#[test]
fn what_passed_has_nothing_to_show() {
    let dir = results(&[("serial-vm1.log", "booting")]);
    for outcome in [Outcome::Pass, Outcome::Warn, Outcome::Skip, Outcome::Cancel] {
        let story = story(&dir, &record(outcome, &["serial-vm1.log"], Some("words")));
        assert!(story.tails.is_empty() && story.output.is_empty(), "{story:?}");
    }
}

#[test]
fn the_last_words_are_not_told_twice() {
    let dir = results(&[("session-vm1.log", "$ false\nno luck\n")]);
    let tails =
        |output| story(&dir, &record(Outcome::Fail, &["session-vm1.log"], output)).tails.len();
    assert_eq!(tails(Some("no luck\r\n")), 0);
    assert_eq!(tails(Some("other words")), 1);
    assert_eq!(tails(None), 1);
}

#[test]
fn only_files_of_the_test_itself_are_read() {
    let dir = results(&[]);
    std::fs::write(dir.path().join("serial-secret.log"), "secret").expect("written");
    let outside = dir.path().join("serial-secret.log");
    std::os::unix::fs::symlink(&outside, dir.path().join("001-boot/serial-link.log"))
        .expect("made");
    std::fs::create_dir(dir.path().join("001-boot/serial-dir.log")).expect("made");
    let names = ["../serial-secret.log", "serial-link.log", "serial-dir.log", "", ".."];
    let story = story(&dir, &record(Outcome::Fail, &names, None));
    assert!(story.tails.is_empty(), "{:?}", story.tails);
}

#[test]
fn a_large_or_endless_line_is_cut() {
    let dir = results(&[("serial-vm1.log", &"x".repeat(200_000))]);
    let story = story(&dir, &record(Outcome::Fail, &["serial-vm1.log"], None));
    let line = &story.tails[0].lines[0];
    assert!(line.chars().count() == tail::WIDEST + 1 && line.ends_with('…'));
}

#[test]
fn an_unfinished_test_tells_what_it_was_at() {
    use crate::event::{Phase, What};
    let dir = results(&[("serial-vm1.log", "booting\n")]);
    let mut records = Records::default();
    for event in sample::events([
        What::TestStarted(sample::test_started(1, "boot")),
        What::PhaseStarted { test: 1, phase: Phase::Run },
    ]) {
        assert!(records.take(&event).is_none());
    }
    let record = records.rest().next().expect("it is open");
    assert_eq!(record.word(), "UNFINISHED");
    let story = story(&dir, &record);
    assert!(story.message.contains("phase `run`"), "{}", story.message);
    assert_eq!(story.tails[0].lines, ["booting"]);
}
