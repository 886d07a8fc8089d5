//! The last lines of a run.

use super::paint::{Ink, Paint};
use super::verdict;
use crate::event::Counts;
use crate::outcome::Outcome;
use crate::report::record::Record;
use crate::report::text::{duration, for_terminal, one_line, shortened};
use crate::report::transitions::Transitions;

/// How many tests ended how: `5 tests in 12.30 s: 4 passed, 1 failed`; and how many were `running`
/// when the events ended; and what their machines went through, if somebody wanted that.
pub(super) fn counts(
    counts: Counts,
    running: usize,
    duration_ms: u64,
    early: &str,
    transitions: Option<&Transitions>,
    paint: Paint,
) -> String {
    let total = counts.total();
    let noun = if total == 1 { "test" } else { "tests" };
    let mut parts = parts(counts, paint);
    if running > 0 {
        parts.push(format!("{running} unfinished"));
    }
    let list = if parts.is_empty() { "nothing ran".to_owned() } else { parts.join(", ") };
    let transitions = transitions.map(|all| format!("; {all}")).unwrap_or_default();
    format!("{total} {noun} in {}{early}: {list}{transitions}", duration(duration_ms))
}

/// The counts that are not zero, in words.
pub(super) fn parts(counts: Counts, paint: Paint) -> Vec<String> {
    let mut parts = Vec::new();
    for outcome in Outcome::ALL {
        let count = counts.of(outcome);
        if count > 0 {
            let text = format!("{count} {}", in_words(outcome));
            let flaky = match (outcome, counts.flaky) {
                (Outcome::Pass, flaky @ 1..) => format!(" ({flaky} flaky)"),
                _ => String::new(),
            };
            parts.push(format!("{}{flaky}", paint.paint(Ink::of(outcome.word()), &text)));
        }
    }
    if counts.known > 0 {
        let text = format!("{} failed as known", counts.known);
        parts.push(paint.paint(Ink::of("KNOWN"), &text));
    }
    if counts.not_run > 0 {
        parts.push(format!("{} not run", counts.not_run));
    }
    parts
}

/// A failure in one line, for the list at the end of a long run.
pub(super) fn failure(record: &Record, paint: Paint) -> String {
    let word = verdict::word(record, paint);
    let cause = record.finished.as_ref().and_then(|finished| finished.cause);
    let message = record.finished.as_ref().map_or("", |finished| &finished.message);
    let why = match (cause, message) {
        (Some(cause), "") => cause.words().to_owned(),
        (Some(cause), message) => format!("{}: {message}", cause.words()),
        (None, message) => message.to_owned(),
    };
    let (name, why) = (one_line(&record.label()), shortened(&one_line(&why), 160));
    format!("  {word}{:<36}  {}", for_terminal(&name), for_terminal(&why)).trim_end().to_owned()
}

fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "passed",
        Outcome::Skip => "skipped",
        Outcome::Cancel => "cancelled",
        Outcome::Warn => "passed with warnings",
        Outcome::Fail => "failed",
        Outcome::Error => "could not be carried out",
        Outcome::Interrupted => "interrupted",
    }
}
