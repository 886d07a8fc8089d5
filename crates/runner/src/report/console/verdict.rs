//! What is said of a test when it is over.

use super::paint::{Ink, Paint};
use crate::report::record::Record;
use crate::report::story::{Places, Story};
use crate::report::text::{duration, for_terminal, one_line, shell_word, shortened};

/// How far what belongs to a test is indented.
pub(super) const INDENT: &str = "         ";

/// The line of a test: how it ended, its name, its time, and why in a few words.
pub(super) fn line(record: &Record, paint: Paint) -> String {
    let word = word(record, paint);
    let name = for_terminal(&one_line(&record.label()));
    let time = record.finished.as_ref().map_or("?".into(), |end| duration(end.duration_ms));
    let why = paint.paint(Ink::Bold, &for_terminal(&aside(record)));
    format!("  {word}{name:<36} {time:>10}  {why}").trim_end().to_owned()
}

/// How it ended, as wide as nearly all such words.
pub(super) fn word(record: &Record, paint: Paint) -> String {
    let word = record.word();
    let width = if word.len() > 6 { word.len() + 1 } else { 6 };
    format!("{} ", paint.paint(Ink::of(word), &format!("{word:<width$}")))
}

/// What is said below the line of a test: enough to start working.
pub(super) fn details(record: &Record, places: Places<'_>, paint: Paint) -> Vec<String> {
    let story = Story::of(record, places);
    let mut lines = Lines { paint, lines: Vec::new() };
    if record.is_known() || record.is_retried() {
        // Somebody knows it already, or will be told more by the next try.
        lines.text(&shortened(&one_line(&story.message), 300));
        if record.is_known() {
            lines.folder(record, places);
        }
        return lines.lines;
    }
    lines.story(&story);
    if record.finished.is_none() || record.is_failure() {
        // Of a test that passed it matters to nobody.
        story.remarks.iter().for_each(|remark| lines.text(remark));
    }
    for warning in &record.warnings {
        lines.text(&format!("warning: {warning}"));
    }
    if record.finished.is_none() || record.is_failure() {
        lines.places(record, &story, places);
    }
    lines.lines
}

/// What is said below the line of a test of which all else was told before.
pub(super) fn end(record: &Record, places: Places<'_>, paint: Paint) -> Vec<String> {
    let mut lines = Lines { paint, lines: Vec::new() };
    lines.places(record, &Story::of(record, places), places);
    lines.lines
}

/// Why it ended so, or what is special about it, in a few words.
fn aside(record: &Record) -> String {
    let Some(finished) = &record.finished else { return String::new() };
    let mut parts: Vec<String> =
        finished.cause.map(|cause| cause.words().into()).into_iter().collect();
    if let Some(known) = &finished.known {
        parts.push(format!("known: {}", shortened(&one_line(&known.to_string()), 300)));
    }
    if finished.retried {
        parts.push(format!("try {}; it is tried again", record.started.attempt));
    } else if finished.flaky {
        parts.push(format!("flaky: passed at try {}", record.started.attempt));
    } else if record.started.attempt > 1 {
        parts.push(format!("at try {}", record.started.attempt));
    }
    if !record.transitions.is_empty() {
        parts.push(record.transitions.to_string());
    }
    parts.join("; ")
}

/// Lines below the line of a test. Nothing gets into them that a terminal would obey.
struct Lines {
    paint: Paint,
    lines: Vec<String>,
}

impl Lines {
    fn text(&mut self, text: &str) {
        let clean = for_terminal(text);
        self.lines
            .extend(clean.lines().map(|line| format!("{INDENT}{line}").trim_end().to_owned()));
    }

    fn faint(&mut self, text: &str) {
        for line in for_terminal(text).lines() {
            self.lines.push(format!("{INDENT}{}", self.paint.paint(Ink::Dim, line.trim_end())));
        }
    }

    fn story(&mut self, story: &Story) {
        self.text(&story.message);
        if !story.shown_by.is_empty() {
            self.text(&format!("shown by: {}", story.shown_by));
        }
        if !story.contexts.is_empty() {
            self.text(&format!("while {}", story.contexts.join(" --> ")));
        }
        if let Some(source) = &story.source {
            self.text(&format!("at {}", source.place));
            if let (Some(line), Some(text)) = (source.line, source.text()) {
                self.text(&format!("{line:>5} | {text}"));
            }
        }
        self.quote(&story.output);
        for tail in &story.tails {
            self.faint(format!("{}: {}", tail.of, tail.title()).trim_end_matches(": "));
            self.quote(&tail.lines);
        }
    }

    fn folder(&mut self, record: &Record, places: Places<'_>) {
        let evidence = record.finished.iter().flat_map(|finished| &finished.evidence);
        let names: Vec<&str> = evidence.map(String::as_str).collect();
        let files =
            if names.is_empty() { String::new() } else { format!(" ({})", names.join(" ")) };
        let directory = places.results.join(&record.started.directory);
        self.text(&format!("see {directory}/{files}"));
    }

    fn quote(&mut self, lines: &[String]) {
        for line in lines {
            self.text(&format!("| {line}"));
        }
    }

    /// Where everything lies, and how to get at what still lives.
    fn places(&mut self, record: &Record, story: &Story, places: Places<'_>) {
        self.folder(record, places);
        for script in &story.scripts {
            let script = shell_word(script.as_str());
            self.text(&format!("the machine by hand: sh {script}"));
        }
        for command in &story.attach {
            self.text(&format!("it still lives: {command}"));
        }
    }
}
