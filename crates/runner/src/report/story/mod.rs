//! The story of a test that did not pass: what a person needs to start working.

mod source;
mod tail;
#[cfg(test)]
mod tests;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

pub use source::Source;
pub use tail::Tail;
pub(super) use tail::end_of;

use super::record::Record;
use super::text::{duration, shortened, without_sequences};
use crate::event::{KnownFailure, TestFinished};

/// What there is to tell about one try of a test. All text is as it came: whoever shows it makes
/// it harmless.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Story {
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// What shows that this is the cause.
    pub shown_by: String,
    /// What went wrong.
    pub message: String,
    /// What was being done, outermost first.
    pub contexts: Vec<String>,
    /// The line of source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What the other side had said last, by lines.
    pub output: Vec<String>,
    /// What the console and the session showed last when it had failed.
    pub tails: Vec<Tail>,
    /// Scripts that start the same machines by hand.
    pub scripts: Vec<Utf8PathBuf>,
    /// Commands that lead into machines that still live.
    pub attach: Vec<String>,
    /// Why the failure was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownFailure>,
    /// Further sentences.
    pub remarks: Vec<String>,
    /// The stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
}

/// Where the story's evidence lies.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The results directory of the run.
    pub results: &'a Utf8Path,
    /// The folders that the subtests' sources lie in.
    pub sources: &'a [Utf8PathBuf],
}

/// What shows the cause, unless the message says it already.
fn shown_by(finished: &TestFinished) -> String {
    let shown_by = &finished.cause_shown_by;
    if finished.message.contains(shown_by.as_str()) { String::new() } else { shown_by.clone() }
}

impl Story {
    /// The story of `record`. Of a test that never ended, the files in `places` tell it.
    pub fn of(record: &Record, places: Places<'_>) -> Self {
        let Some(finished) = &record.finished else { return Self::unfinished(record, places) };
        let directory = places.results.join(&record.started.directory);
        let failed = finished.outcome.is_failure();
        let output = finished.output.as_deref().filter(|_| failed);
        let output = output.map(last_lines).unwrap_or_default();
        let mut tails = if failed { tail::then(finished) } else { Vec::new() };
        // A session's log ends with what the other side had said last; once is enough.
        tails.retain(|tail| output.is_empty() || !tail.ends_with(&output));
        // And a session over the console is shown by that.
        if let [console, session] = &tails[..]
            && console.lines.len() >= session.lines.len()
            && console.ends_with(&session.lines)
        {
            tails.truncate(1);
        }
        Self {
            cause: finished.cause.map(crate::event::Cause::words),
            shown_by: shown_by(finished),
            message: finished.message.clone(),
            contexts: finished.contexts.clone(),
            source: finished.location.as_deref().map(|place| Source::find(place, places.sources)),
            output,
            tails,
            scripts: if failed { scripts(finished, &directory) } else { Vec::new() },
            attach: finished.survivors.iter().flat_map(|vm| vm.attach.clone()).collect(),
            known: finished.known.clone(),
            remarks: stalled(finished.stalled_ms, &finished.message).into_iter().collect(),
            backtrace: finished.backtrace.clone(),
        }
    }

    fn unfinished(record: &Record, places: Places<'_>) -> Self {
        let directory = places.results.join(&record.started.directory);
        let listed: Vec<String> = directory
            .read_dir_utf8()
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.file_name().into())))
            .map(Iterator::collect)
            .unwrap_or_default();
        let names: Vec<&str> = listed.iter().map(String::as_str).collect();
        let place = record.phase.map(|(phase, _)| format!(": it was in phase `{}`", phase.word()));
        let message = format!("the events end before the test did{}", place.unwrap_or_default());
        Self { message, tails: tail::now(&directory, &names), ..Self::default() }
    }
}

/// The scripts that start its machines, that of the main one first.
fn scripts(finished: &TestFinished, directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let main = finished.command_script.as_ref();
    let others = finished
        .evidence
        .iter()
        .filter(|name| name.starts_with("qemu-") && has(name, "sh") && Some(*name) != main);
    let names = main.into_iter().chain(others).filter(|name| is_plain(name));
    names.map(|name| directory.join(name)).collect()
}

/// A file of the test's own directory, and nothing else.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\0']) && !matches!(name, "." | "..")
}

fn has(name: &str, extension: &str) -> bool {
    Utf8Path::new(name).extension() == Some(extension)
}

/// By how much its deadlines were put off, where that may have mattered and `message` does not say
/// so itself.
fn stalled(milliseconds: u64, message: &str) -> Option<String> {
    let is_told = message.contains("because the host was starved");
    (milliseconds >= 1000 && !is_told).then(|| {
        let time = duration(milliseconds);
        format!("its deadlines were put off by {time}: the host had no time for it")
    })
}

/// The last lines of what the other side had said; the rest is in the files.
fn last_lines(output: &str) -> Vec<String> {
    const MOST: usize = 10;
    let clean = without_sequences(output);
    let lines: Vec<&str> = clean.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(MOST)..];
    last.iter().map(|line| shortened(line.trim_end(), tail::WIDEST)).collect()
}
