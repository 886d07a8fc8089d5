//! `result.json` of each test, and `summary.json` of the run.

use std::io;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::Serialize;

use super::Fold;
use super::record::{Record, Records};
use super::results::write_whole;
use super::transitions::Transitions;
use super::whole::{TestRecord, Whole};
use crate::event::{Cause, Counts, Event, KnownFailure, RunStarted, VERSION};
use crate::outcome::Outcome;

/// Writes `result.json` into the directory of each test as it ends.
pub struct Json {
    dir: Utf8PathBuf,
    records: Records,
}

impl Json {
    /// Writes below `dir`, the results directory of the run.
    pub fn new(dir: impl Into<Utf8PathBuf>) -> Self {
        Self { dir: dir.into(), records: Records::default() }
    }
}

impl Fold for Json {
    fn name(&self) -> &'static str {
        "result.json"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        let Some(record) = self.records.take(event) else { return Ok(()) };
        if record.finished.is_none() || record.started.directory.is_empty() {
            return Ok(());
        }
        let path = self.dir.join(&record.started.directory).join("result.json");
        write_whole(&path, &bytes(&TestResult { version: VERSION, record: &record })?)
    }
}

/// The run as `summary.json` has it.
pub(super) fn json(whole: &Whole) -> io::Result<Vec<u8>> {
    let broken = whole.broken.iter();
    bytes(&Summary {
        version: VERSION,
        began: whole.began,
        run: whole.started.as_ref(),
        counts: AllCounts { ended: whole.counts(), unfinished: whole.unfinished() },
        duration_ms: whole.duration_ms(),
        interrupted: whole.interrupted(),
        finished: whole.end.is_some(),
        transitions: whole.transitions(),
        tests: whole.tests().map(row).collect(),
        remarks: whole.remarks.iter().map(|(_, remark)| remark.as_str()).collect(),
        broken: broken.map(|(line, why)| Broken { line: *line, why }).collect(),
    })
}

#[derive(Serialize)]
struct TestResult<'a> {
    version: u32,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Serialize)]
struct Summary<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    run: Option<&'a RunStarted>,
    counts: AllCounts,
    duration_ms: u64,
    interrupted: bool,
    /// Whether the run has told its end.
    finished: bool,
    /// What machines went through under their tests, where somebody wanted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    transitions: Option<Transitions>,
    tests: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    broken: Vec<Broken<'a>>,
}

/// How many tests ended how, and how many have not.
#[derive(Serialize)]
struct AllCounts {
    #[serde(flatten)]
    ended: Counts,
    /// Begun, but not ended when the events end.
    unfinished: usize,
}

/// A line of the events that is none.
#[derive(Serialize)]
struct Broken<'a> {
    line: usize,
    why: &'a str,
}

#[derive(Serialize)]
struct Row<'a> {
    test: u32,
    name: &'a str,
    shortname: &'a str,
    subtest: &'a str,
    iteration: u32,
    worker: u32,
    /// Nothing where the events end before the test.
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flaky: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a KnownFailure>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Transitions::is_empty")]
    transitions: &'a Transitions,
    directory: &'a str,
    /// The tries before the one that counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Try<'a>>,
}

#[derive(Serialize)]
struct Try<'a> {
    attempt: u32,
    outcome: Option<Outcome>,
    message: &'a str,
    duration_ms: u64,
    directory: &'a str,
}

fn row(test: &TestRecord) -> Row<'_> {
    let (started, finished) = (&test.last.started, test.last.finished.as_ref());
    Row {
        test: started.test,
        name: &started.name,
        shortname: &started.shortname,
        subtest: &started.subtest,
        iteration: started.iteration,
        worker: started.worker,
        outcome: finished.map(|finished| finished.outcome),
        cause: finished.and_then(|finished| finished.cause),
        flaky: finished.is_some_and(|finished| finished.flaky),
        known: finished.and_then(|finished| finished.known.as_ref()),
        message: finished.map_or("", |finished| &finished.message),
        duration_ms: test.last.duration_ms(),
        transitions: &test.last.transitions,
        directory: &started.directory,
        earlier: test.earlier.iter().map(earlier).collect(),
    }
}

fn earlier(record: &Record) -> Try<'_> {
    let finished = record.finished.as_ref();
    Try {
        attempt: record.started.attempt,
        outcome: finished.map(|finished| finished.outcome),
        message: finished.map_or("", |finished| &finished.message),
        duration_ms: record.duration_ms(),
        directory: &record.started.directory,
    }
}

fn bytes(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Recorded;
    use crate::report::sample;

    #[test]
    fn a_run_has_all_that_its_events_say_in_short() {
        let recorded = Recorded {
            events: sample::events(sample::varied()),
            broken: vec![(7, "EOF while parsing".into())],
        };
        let text = json(&Whole::of(&recorded)).expect("serialised");
        let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let tests = &value["tests"];
        assert_eq!((&value["finished"], &value["counts"]["known"]), (&true.into(), &1.into()));
        assert_eq!(tests[1]["cause"], "guest-did-not-boot");
        assert_eq!(tests[3]["earlier"][0]["outcome"], "FAIL");
        assert_eq!((&tests[3]["outcome"], &tests[3]["flaky"]), (&"PASS".into(), &true.into()));
        assert_eq!(tests[4]["known"]["link"], "https://example.org/7");
        assert_eq!(value["broken"][0]["line"], 7);
        assert_eq!(value["remarks"][0], "the disk is full");
    }

    #[test]
    fn what_has_not_ended_is_counted() {
        use crate::event::What;
        let counts = |whats: Vec<What>| {
            let recorded = Recorded { events: sample::events(whats), broken: Vec::new() };
            let text = json(&Whole::of(&recorded)).expect("serialised");
            serde_json::from_slice::<serde_json::Value>(&text).expect("JSON")["counts"].clone()
        };
        let started = What::TestStarted(sample::test_started(1, "boot"));
        let going = counts(vec![sample::run_started(3), started.clone()]);
        assert_eq!((&going["unfinished"], &going["not_run"]), (&1.into(), &2.into()));
        // Where the first line is lost, the second one knows.
        let tests = ["boot", "other"].map(str::to_owned).to_vec();
        let torn = counts(vec![What::Planned { tests }, started]);
        assert_eq!((&torn["unfinished"], &torn["not_run"]), (&1.into(), &1.into()));
        assert_eq!(counts(sample::varied())["unfinished"], 0);
    }

    #[test]
    fn counts_of_a_run_that_never_ended_are_those_of_its_tests() {
        let mut events = sample::events(sample::varied());
        let last = Whole::of(&Recorded { events: events.clone(), broken: Vec::new() });
        events.pop();
        let cut = Whole::of(&Recorded { events, broken: Vec::new() });
        assert_eq!(cut.counts(), last.counts());
        assert!(cut.end.is_none() && last.end.is_some());
    }
}
