//! `junit.xml`: what continuous integration systems read.

#[cfg(test)]
mod tests;

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::record::Record;
use super::story::{Places, Story};
use super::text::{duration, for_xml, shell_word, shortened};
use super::whole::{TestRecord, Whole};
use crate::outcome::Outcome;

/// The run as JUnit's XML, with the elements and attributes that Jenkins's schema knows.
///
/// FAIL is a failure; ERROR, INTERRUPTED and what never ended are errors; SKIP, CANCEL and known
/// failures are skipped. Earlier tries and warnings are in `system-out`.
pub(super) fn junit(whole: &Whole) -> Result<String, quick_junit::SerializeError> {
    let time = Duration::from_millis(whole.duration_ms());
    let mut suite = TestSuite::new("kvmtest");
    suite.set_time(time);
    if let Some(started) = &whole.started {
        suite.extra.insert("hostname".into(), for_xml(&started.host.name).into());
        let host = &started.host;
        let kernel = format!("{} {}", host.kernel, host.machine);
        let words: Vec<String> = started.argv.iter().map(|word| shell_word(word)).collect();
        let command = words.join(" ");
        let facts = [("program", &started.program), ("kernel", &kernel), ("command", &command)];
        let transitions = whole.transitions().map(|all| all.to_string());
        let transitions = transitions.as_ref().map(|all| ("transitions", all));
        for (key, value) in facts.into_iter().chain(transitions) {
            suite.add_property((key, for_xml(value).as_str()));
        }
    }
    if let Some(began) = whole.began {
        // The schema's pattern has no fractions and no zone.
        let began = began.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        suite.extra.insert("timestamp".into(), began.into());
    }
    let places = Places { results: whole.results(), sources: whole.sources() };
    suite.add_test_cases(whole.tests().map(|test| case(test, places)));
    if let Some(said) = remarks(whole) {
        suite.set_system_out(for_xml(&said));
    }
    let mut report = Report::new("kvmtest");
    report.set_time(time);
    report.add_test_suite(suite);
    report.to_string()
}

fn remarks(whole: &Whole) -> Option<String> {
    let mut lines: Vec<String> = whole.remarks.iter().map(|(_, remark)| remark.clone()).collect();
    let broken = whole.broken.iter();
    lines.extend(broken.map(|(line, why)| format!("line {line} of the events is broken: {why}")));
    if whole.end.is_none() {
        lines.push("the events end before the run did".into());
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn case(test: &TestRecord, places: Places<'_>) -> TestCase {
    let record = &test.last;
    let story = Story::of(record, places);
    let mut status = match record.outcome() {
        _ if record.is_known() => TestCaseStatus::skipped(),
        Outcome::Pass | Outcome::Warn => TestCaseStatus::success(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Error | Outcome::Interrupted => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Skip | Outcome::Cancel => TestCaseStatus::skipped(),
    };
    match &mut status {
        TestCaseStatus::Success { .. } => {}
        TestCaseStatus::Skipped { .. } => {
            status.set_message(for_xml(&headline(&story)));
        }
        TestCaseStatus::NonSuccess { .. } => {
            status.set_message(for_xml(&shortened(&headline(&story), 1000)));
            status.set_type(record.word());
            status.set_description(for_xml(&details(record, &story)));
        }
    }
    let mut case = TestCase::new(for_xml(&record.label()), status);
    case.set_classname(for_xml(&record.started.subtest));
    case.set_time(Duration::from_millis(record.duration_ms()));
    let said = said(test);
    if !said.is_empty() {
        case.set_system_out(for_xml(&said));
    }
    case
}

/// Why, in one sentence.
fn headline(story: &Story) -> String {
    let mut parts = Vec::new();
    if let Some(known) = &story.known {
        parts.push(format!("known failure: {known}"));
    }
    parts.extend(story.cause.map(str::to_owned));
    if !story.message.is_empty() {
        parts.push(story.message.clone());
    }
    parts.join(": ")
}

fn details(record: &Record, story: &Story) -> String {
    let mut lines = vec![headline(story)];
    if !story.contexts.is_empty() {
        lines.push(format!("while {}", story.contexts.join(" --> ")));
    }
    if let Some(source) = &story.source {
        lines.push(format!("at {}", source.place));
        lines.extend(source.text().map(|text| format!("    {text}")));
    }
    lines.extend(story.output.iter().map(|line| format!("| {line}")));
    for tail in &story.tails {
        lines.push(format!("{}: {}", tail.of, tail.title()).trim_end_matches(": ").to_owned());
        lines.extend(tail.lines.iter().map(|line| format!("| {line}")));
    }
    lines.extend(story.remarks.clone());
    lines.push(format!("see {}/", record.started.directory));
    lines.join("\n")
}

/// What is to be known of a test that has its own place in no schema.
fn said(test: &TestRecord) -> String {
    let mut lines: Vec<String> = Vec::new();
    for record in &test.earlier {
        let message =
            record.finished.as_ref().map_or("it never ended", |finished| &finished.message);
        let time = duration(record.duration_ms());
        let attempt = record.started.attempt;
        lines.push(format!("try {attempt}: {} after {time}: {message}", record.word()));
    }
    if !test.last.transitions.is_empty() {
        lines.push(test.last.transitions.to_string());
    }
    lines.extend(test.last.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}
