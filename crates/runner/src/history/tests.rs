//! The history of made-up runs.

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::event::{Event, KnownFailure, RunStarted, TestFinished, TestStarted, What};
use crate::outcome::Outcome;

/// A folder of results with runs in it.
struct Bench {
    _dir: tempfile::TempDir,
    base: Utf8PathBuf,
    runs: u32,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().expect("a directory");
    let base = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
    Bench { _dir: dir, base, runs: 0 }
}

impl Bench {
    fn history(&self) -> History {
        History::beside(&self.base)
    }

    /// One more run, an hour after the last one. Tests are `name outcome duration`; an outcome with
    /// `?` is flaky, with `!` known, with `~` does not count.
    fn run(&mut self, tests: &[&str]) -> Run {
        self.runs += 1;
        let began: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let began = began + SignedDuration::from_hours(i64::from(self.runs));
        let folder = self.base.join(format!("run{}", self.runs));
        let mut events = vec![What::RunStarted(started(&folder, tests.len()))];
        for (number, test) in (1..).zip(tests) {
            events.extend(ended(number, test));
        }
        std::fs::create_dir(&folder).expect("made");
        let mut recorder = Recorder::default();
        let mut lines = String::new();
        for (second, what) in (0..).zip(events) {
            let at = began + SignedDuration::from_secs(second);
            let event = Event { at, ms: 0, what };
            recorder.note(&event);
            lines.push_str(&serde_json::to_string(&event).expect("serialises"));
            lines.push('\n');
        }
        std::fs::write(folder.join("events.jsonl"), lines).expect("written");
        let run = recorder.run().expect("something ended");
        self.history().add(&run).expect("added");
        run
    }

    fn story(&self, name: &str) -> Story {
        let stories = self.history().stories().expect("told");
        stories.into_iter().find(|story| story.name == name).expect(name)
    }
}

fn started(folder: &Utf8Path, planned: usize) -> RunStarted {
    RunStarted {
        sources: Vec::new(),
        version: event::VERSION,
        program: "kvmtest 0".to_owned(),
        host: event::Host::default(),
        argv: Vec::new(),
        results: folder.to_owned(),
        planned,
        set: None,
        perturb: None,
        left_out: Vec::new(),
    }
}

fn ended(number: u32, test: &str) -> [What; 2] {
    let mut words = test.split_whitespace();
    let mut word = || words.next().expect("name, outcome, duration");
    let (name, outcome, duration) = (word(), word(), word());
    let known = outcome.ends_with('!').then(|| KnownFailure { reason: "r".into(), link: None });
    let finished = serde_json::json!({
        "test": number,
        "outcome": outcome.trim_end_matches(['?', '!', '~']),
        "flaky": outcome.ends_with('?'),
        "retried": outcome.ends_with('~'),
        "known": known,
        "cause": (outcome == "FAIL").then_some("guest-hung"),
        "duration_ms": duration.parse::<u64>().expect("a number"),
    });
    let finished: TestFinished = serde_json::from_value(finished).expect("an event");
    let started = TestStarted {
        test: number,
        name: name.to_owned(),
        shortname: format!("short.{name}"),
        subtest: "boot".to_owned(),
        iteration: 1,
        attempt: 1,
        worker: 1,
        directory: String::new(),
    };
    [What::TestStarted(started), What::TestFinished(finished)]
}

#[test]
fn nothing_is_known_where_nothing_was_run_and_nothing_is_made_by_asking() {
    let bench = bench();
    let history = bench.history();
    assert_eq!(history.stories().expect("told"), []);
    assert!(history.failing().expect("told").is_empty());
    assert!(history.times().expect("told").is_empty());
    assert!(!history.path().exists());
}

#[test]
fn a_story_counts() {
    let mut bench = bench();
    bench.run(&["a PASS 100", "b FAIL 5"]);
    bench.run(&["a FAIL 7", "b ERROR! 5"]);
    bench.run(&["a WARN? 300", "b SKIP 5", "c INTERRUPTED 1"]);
    bench.run(&["a FAIL~ 9", "a PASS 200", "b FAIL! 5"]);
    let story = bench.story("a");
    assert_eq!((story.runs, story.passed, story.failed, story.flaky), (4, 3, 1, 1));
    assert_eq!(story.pass_rate, Some(0.75));
    assert_eq!(story.flakiness, Some(0.5), "it changed twice; one of these was flaky, too");
    assert_eq!((story.median_ms, story.median_before_ms), (Some(200), None));
    assert_eq!((story.shortname.as_str(), story.subtest.as_str()), ("short.a", "boot"));
    let story = bench.story("b");
    assert_eq!((story.runs, story.passed, story.failed, story.known), (4, 0, 3, 2));
    assert_eq!((story.pass_rate, story.flakiness), (Some(0.0), Some(0.0)));
    assert_eq!((story.last.outcome, story.last.known), (Outcome::Fail, true));
    assert_eq!(story.last.directory, "run4");
    let story = bench.story("c");
    assert_eq!((story.runs, story.pass_rate, story.flakiness), (1, None, None));
}

#[test]
fn every_end_of_a_test_is_told_the_last_one_first() {
    let mut bench = bench();
    bench.run(&["a PASS 100", "b FAIL 5"]);
    bench.run(&["a FAIL~ 7", "a FAIL 8"]);
    bench.run(&["a WARN? 300", "a ERROR! 1", "c PASS 1"]);
    let singles = bench.history().singles(&["a", "b", "x"].into()).expect("told");
    let a: Vec<_> = singles["a"]
        .iter()
        .map(|one| (one.outcome.word(), one.duration_ms, one.directory.as_str()))
        .collect();
    let expect =
        [("ERROR", 1, "run3"), ("WARN", 300, "run3"), ("FAIL", 8, "run2"), ("PASS", 100, "run1")];
    assert_eq!(a, expect);
    assert!(singles["a"][0].known && singles["a"][1].flaky && !singles["a"][3].flaky);
    assert_eq!(singles["b"][0].cause.as_deref(), Some("guest hung"));
    assert_eq!(singles.len(), 2);
    assert!(singles["a"].is_sorted_by_key(|one| std::cmp::Reverse(one.at)));
}

#[test]
fn a_word_that_picks_no_test_is_told_with_what_is_like_it() {
    let mut bench = bench();
    bench.run(&["small.boot PASS 1", "(os=wide).reboot PASS 1", "small.shutdown PASS 1"]);
    let picked = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let stories = pick(bench.history().stories().expect("told"), &words)?;
        let mut names: Vec<String> = stories.into_iter().map(|story| story.name).collect();
        names.sort();
        Ok::<_, String>(names)
    };
    assert_eq!(picked(&[]).expect("all").len(), 3);
    assert_eq!(picked(&["boot"]).expect("one"), ["small.boot"]);
    assert_eq!(picked(&["wide, boot"]).expect("two"), ["(os=wide).reboot", "small.boot"]);
    // The whole short name, which need not stand in the full one.
    assert_eq!(picked(&["short.small.boot"]).expect("one"), ["small.boot"]);
    let text = picked(&["bot"]).expect_err("nothing");
    assert!(
        text.starts_with("no test that was ever run matches `bot`; did you mean `boot`"),
        "{text}"
    );
    let text = picked(&["boot", "shutdwon, zzzzzzz"]).expect_err("nothing");
    assert!(text.contains("`shutdwon`, `zzzzzzz`; did you mean `shutdown`"), "{text}");
    let text = picked(&["small..wide"]).expect_err("nothing");
    assert!(text.contains("matches `small..wide` (`kvmtest history` shows"), "{text}");
}

#[test]
fn the_trend_compares_the_last_five_times_with_those_before() {
    let mut bench = bench();
    let mut trends = Vec::new();
    for duration in [100, 200, 300, 400, 300, 300, 300, 300, 900] {
        bench.run(&[&format!("a PASS {duration}"), "b FAIL 1"]);
        trends.push(bench.story("a").trend);
    }
    assert_eq!(trends[..7], [None; 7]);
    assert_eq!(trends[7..], [Some(0.5), Some(0.5)]);
    assert_eq!((bench.story("b").median_ms, bench.story("b").trend), (None, None));
}

#[test]
fn what_deserves_a_look_comes_first() {
    let mut bench = bench();
    bench.run(&["steady PASS 1", "flaky PASS 1", "broken PASS 1", "known PASS 1", "seldom FAIL 1"]);
    bench.run(&[
        "steady PASS 1",
        "flaky FAIL 1",
        "broken PASS 1",
        "known FAIL! 1",
        "seldom FAIL 1",
    ]);
    bench.run(&[
        "steady PASS 1",
        "flaky PASS 1",
        "broken FAIL 1",
        "known FAIL! 1",
        "seldom PASS 1",
    ]);
    let stories = bench.history().stories().expect("told");
    let names: Vec<&str> = stories.iter().map(|story| story.name.as_str()).collect();
    assert_eq!(names, ["broken", "flaky", "known", "seldom", "steady"]);
}

#[test]
fn what_failed_last_is_failing() {
    let mut bench = bench();
    bench.run(&["a FAIL 1", "b PASS 1", "c FAIL 1", "d ERROR 1", "e FAIL! 1"]);
    bench.run(&["a PASS 1", "b FAIL 1", "c SKIP 1"]);
    bench.run(&["f FAIL 1", "f PASS 1", "c INTERRUPTED 1"]);
    let failing = bench.history().failing().expect("told");
    let mut failing: Vec<&str> = failing.iter().map(String::as_str).collect();
    failing.sort_unstable();
    assert_eq!(failing, ["b", "c", "d", "f"]);
}

#[test]
fn a_time_is_the_median_of_the_last_five_that_passed() {
    let mut bench = bench();
    for duration in [9000, 9000, 9000, 100, 300, 200, 500, 400] {
        bench.run(&[&format!("a PASS {duration}"), "b FAIL 1"]);
    }
    let times = bench.history().times().expect("told");
    assert_eq!(times, [("a".to_owned(), Duration::from_millis(300))].into_iter().collect());
}

#[test]
fn the_same_run_twice_is_one() {
    let mut bench = bench();
    let run = bench.run(&["a PASS 1"]);
    bench.history().add(&run).expect("added");
    assert_eq!(bench.story("a").runs, 1);
}

#[test]
fn runs_that_end_together_are_all_kept() {
    let bench = bench();
    let run = |number: i64| Run {
        directory: format!("run{number}"),
        began: Timestamp::from_second(number).expect("a time"),
        program: String::new(),
        host: String::new(),
        tests: vec![Ran {
            name: "a".into(),
            shortname: "a".into(),
            subtest: "a".into(),
            iteration: 1,
            attempt: 1,
            outcome: Outcome::Pass,
            flaky: false,
            known: false,
            cause: None,
            began: Timestamp::from_second(number).expect("a time"),
            duration_ms: 1,
        }],
    };
    std::thread::scope(|scope| {
        for number in 0..6 {
            let history = bench.history();
            scope.spawn(move || history.add(&run(number)).expect("added"));
        }
    });
    assert_eq!(bench.story("a").runs, 6);
}

#[test]
fn everything_can_be_made_anew_from_the_events() {
    let mut bench = bench();
    for run in [["a PASS 100", "b FAIL 5"], ["a WARN? 7", "b ERROR! 5"], ["a FAIL~ 1", "a PASS 3"]]
    {
        bench.run(&run);
    }
    let before = bench.history().stories().expect("told");
    std::os::unix::fs::symlink("run3", bench.base.join("latest")).expect("linked");
    std::fs::create_dir(bench.base.join("other")).expect("made");
    for damage in [None, Some("no database at all"), Some("")] {
        match damage {
            Some(text) => std::fs::write(bench.history().path(), text).expect("written"),
            None => std::fs::remove_file(bench.history().path()).expect("removed"),
        }
        let rebuilt = bench.history().rebuild().expect("rebuilt");
        assert_eq!(rebuilt, Rebuilt { runs: 3, remarks: Vec::new() });
        assert_eq!(bench.history().stories().expect("told"), before);
    }
}

#[test]
fn what_is_torn_is_told_of_and_the_rest_is_kept() {
    let mut bench = bench();
    bench.run(&["a PASS 100", "b FAIL 5"]);
    bench.run(&["a PASS 100"]);
    let torn = bench.base.join("run1/events.jsonl");
    let text = std::fs::read_to_string(&torn).expect("read");
    std::fs::write(&torn, &text[..text.len() - 20]).expect("written");
    std::fs::write(bench.base.join("run2/events.jsonl"), "{\"version\":99}\n").expect("written");
    let rebuilt = bench.history().rebuild().expect("rebuilt");
    assert_eq!((rebuilt.runs, rebuilt.remarks.len()), (1, 2));
    assert!(rebuilt.remarks[0].contains("run1/events.jsonl:5: 1 broken"), "{rebuilt:?}");
    assert!(rebuilt.remarks[1].contains("run2: left out") && rebuilt.remarks[1].contains("99"));
    assert_eq!(bench.story("a").runs, 1);
}

#[test]
fn what_is_no_history_is_an_error_with_the_way_out() {
    let bench = bench();
    let check = |part: &str| {
        let error = bench.history().stories().expect_err(part).to_string();
        assert!(error.contains(part) && error.contains("kvmtest history --rebuild"), "{error}");
    };
    std::fs::write(bench.history().path(), "no database at all, but long enough").expect("written");
    check("history.sqlite");
    std::fs::remove_file(bench.history().path()).expect("removed");
    let other = rusqlite::Connection::open(bench.history().path()).expect("opened");
    other.pragma_update(None, "user_version", 77).expect("written");
    check("version 77");
    std::fs::remove_file(bench.history().path()).expect("removed");
    std::fs::create_dir(bench.history().path()).expect("made");
    check("history.sqlite");
}
