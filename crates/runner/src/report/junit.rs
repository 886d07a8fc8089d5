//! `junit.xml`: what continuous integration systems read.

use std::io;
use std::time::Duration;

use camino::Utf8PathBuf;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Fold;
use super::record::{Record, Records};
use super::results::write_whole;
use super::text::for_xml;
use crate::event::{Event, What};
use crate::outcome::Outcome;

/// Writes `junit.xml` when the run is over.
pub struct Junit {
    path: Utf8PathBuf,
    records: Records,
    cases: Vec<TestCase>,
}

impl Junit {
    /// Writes into `dir`, the results directory of the run.
    pub fn new(dir: impl Into<Utf8PathBuf>) -> Self {
        let path = dir.into().join("junit.xml");
        Self { path, records: Records::default(), cases: Vec::new() }
    }
}

impl Fold for Junit {
    fn name(&self) -> &'static str {
        "junit.xml"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Some(record) = self.records.take(event) {
            self.cases.push(case(&record));
        }
        if let What::RunFinished { duration_ms, .. } = event.what {
            let mut suite = TestSuite::new("kvmtest");
            suite.set_time(Duration::from_millis(duration_ms));
            suite.add_test_cases(std::mem::take(&mut self.cases));
            let mut report = Report::new("kvmtest");
            report.set_time(Duration::from_millis(duration_ms));
            report.add_test_suite(suite);
            let text = report.to_string().map_err(io::Error::other)?;
            return write_whole(&self.path, text.as_bytes());
        }
        Ok(())
    }
}

fn case(record: &Record) -> TestCase {
    let (outcome, message, duration_ms) = match &record.finished {
        Some(finished) => (finished.outcome, finished.message.as_str(), finished.duration_ms),
        None => (Outcome::Error, "the events end before the test did", 0),
    };
    let mut status = match outcome {
        Outcome::Pass | Outcome::Warn => TestCaseStatus::success(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Error | Outcome::Interrupted => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Skip | Outcome::Cancel => TestCaseStatus::skipped(),
    };
    if !matches!(outcome, Outcome::Pass | Outcome::Warn) {
        status.set_message(for_xml(message));
        status.set_type(outcome.word());
        status.set_description(for_xml(&details(record, message)));
    }
    let started = &record.started;
    let name = match started.iteration {
        0 | 1 => started.shortname.clone(),
        number => format!("{} ({number})", started.shortname),
    };
    let mut case = TestCase::new(for_xml(&name), status);
    case.set_classname(for_xml(&started.subtest));
    case.set_time(Duration::from_millis(duration_ms));
    if !record.warnings.is_empty() {
        case.set_system_out(for_xml(&format!("warning: {}", record.warnings.join("\nwarning: "))));
    }
    case
}

fn details(record: &Record, message: &str) -> String {
    let mut lines = vec![message.to_owned()];
    if let Some(finished) = &record.finished {
        if !finished.contexts.is_empty() {
            lines.push(format!("while {}", finished.contexts.join(" --> ")));
        }
        lines.extend(finished.location.iter().map(|place| format!("at {place}")));
        lines.extend(finished.output.clone());
    }
    lines.push(format!("see {}/", record.started.directory));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Counts, TestFinished, TestStarted};

    fn report(message: &str, outcome: Outcome) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        let mut junit = Junit::new(&path);
        let started = TestStarted {
            test: 1,
            name: "q35.boot".into(),
            shortname: message.into(),
            subtest: "boot".into(),
            iteration: 1,
            attempt: 1,
            worker: 1,
            directory: "001-boot".into(),
        };
        let finished = TestFinished {
            test: 1,
            outcome,
            cause: None,
            retried: false,
            flaky: false,
            known: None,
            stalled_ms: 0,
            kind: None,
            message: message.into(),
            contexts: vec![message.into()],
            location: None,
            output: Some(message.into()),
            backtrace: None,
            cause_shown_by: String::new(),
            findings: Vec::new(),
            console_tail: Vec::new(),
            session_tail: Vec::new(),
            command_script: None,
            attach: Vec::new(),
            evidence: Vec::new(),
            duration_ms: 1500,
        };
        let end =
            What::RunFinished { counts: Counts::default(), duration_ms: 2000, interrupted: false };
        for what in [What::TestStarted(started), What::TestFinished(finished), end] {
            let at = "2026-01-02T03:04:05Z".parse().expect("a time");
            junit.take(&Event { at, ms: 0, what }).expect("written");
        }
        std::fs::read_to_string(path.join("junit.xml")).expect("there")
    }

    #[test]
    fn each_outcome_has_its_element() {
        for (outcome, element) in [
            (Outcome::Fail, "<failure"),
            (Outcome::Error, "<error"),
            (Outcome::Interrupted, "<error"),
            (Outcome::Skip, "<skipped"),
            (Outcome::Cancel, "<skipped"),
        ] {
            let xml = report("why", outcome);
            assert!(xml.contains(element) && xml.contains("message=\"why\""), "{xml}");
        }
        for outcome in [Outcome::Pass, Outcome::Warn] {
            let xml = report("why", outcome);
            assert!(!["<failure", "<error", "<skipped"].iter().any(|tag| xml.contains(tag)));
        }
    }

    #[test]
    fn what_a_guest_sent_stays_text() {
        let xml = report("]]><x a=\"1\">&\0\x1b[1m\u{fffe}\u{ffff}\u{85}", Outcome::Fail);
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
        assert!(xml.chars().all(legal), "{xml:?}");
        assert!(!xml.contains("<x a="), "{xml}");
        assert!(xml.contains('\u{fffd}'), "{xml}");
    }
}
