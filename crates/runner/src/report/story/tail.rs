//! The last lines of a console or a session.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

use camino::Utf8Path;
use serde::Serialize;

use super::{has, is_plain};
use crate::event::TestFinished;
use crate::report::text::{shortened, without_sequences};

/// Characters of a line that are shown.
pub(super) const WIDEST: usize = 400;

/// The last lines of a console or a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tail {
    /// What they are of: `console` or `session`.
    pub of: &'static str,
    /// The name of its log, in the test's directory; empty where there is none.
    pub file: String,
    /// The lines, without colours.
    pub lines: Vec<String>,
    /// Whether there may be more before them.
    pub more: bool,
}

impl Tail {
    /// How many lines are shown.
    pub const LINES: usize = 20;

    /// Whether this ends with these lines.
    pub(super) fn ends_with(&self, lines: &[String]) -> bool {
        // One of the two may have lost its empty lines.
        let said = |lines: &[String]| -> Vec<String> {
            lines.iter().map(|line| line.trim().to_owned()).filter(|it| !it.is_empty()).collect()
        };
        let (own, others) = (said(&self.lines), said(lines));
        let shorter = own.len().min(others.len());
        shorter > 0 && own[own.len() - shorter..] == others[others.len() - shorter..]
    }

    /// What the console showed last, and over how many lines: `the last 20 lines of serial-vm1.log`.
    pub fn title(&self) -> String {
        match (self.more, self.file.as_str()) {
            (false, file) => file.to_owned(),
            (true, "") => format!("the last {} lines", self.lines.len()),
            (true, file) => format!("the last {} lines of {file}", self.lines.len()),
        }
    }
}

/// What was there when the test had failed. The logs may have more by now: what a machine that
/// lives on has printed since then, and what people have typed.
pub(super) fn then(finished: &TestFinished) -> Vec<Tail> {
    let tail = |of, lines: &[String], log: &Option<String>| {
        let first = lines.len().saturating_sub(Tail::LINES);
        let log = log.as_ref().filter(|name| is_plain(name) && finished.evidence.contains(name));
        Tail {
            of,
            file: log.cloned().unwrap_or_default(),
            lines: lines[first..].iter().map(|line| shortened(line, WIDEST)).collect(),
            more: lines.len() >= Tail::LINES,
        }
    };
    let tails = [
        tail("console", &finished.console_tail, &finished.console_log),
        tail("session", &finished.session_tail, &finished.session_log),
    ];
    tails.into_iter().filter(|tail| !tail.lines.is_empty()).collect()
}

/// The ends of the console's log and of the session's among the files in `directory` that have
/// these names, as they are now. Of several consoles or sessions, the one that was written to last
/// is the one in which something happened.
pub(super) fn now(directory: &Utf8Path, names: &[&str]) -> Vec<Tail> {
    let kinds = [("console", "serial-"), ("session", "session-")];
    let newest = |(of, prefix): (&'static str, &str)| {
        let logs = names.iter().filter(|name| name.starts_with(prefix) && has(name, "log"));
        let file = logs.max_by_key(|name| written(&directory.join(name)))?;
        read(of, directory, file).ok().filter(|tail| !tail.lines.is_empty())
    };
    kinds.into_iter().filter_map(newest).collect()
}

/// When a file was last written to; never, if there is nothing in it.
fn written(path: &Utf8Path) -> Option<SystemTime> {
    let metadata = path.symlink_metadata().ok().filter(|metadata| metadata.len() > 0)?;
    metadata.modified().ok()
}

fn read(of: &'static str, directory: &Utf8Path, name: &str) -> io::Result<Tail> {
    const MOST: u64 = 64 << 10;
    let (bytes, cut) = end_of(&directory.join(name), MOST)?;
    let clean = without_sequences(&String::from_utf8_lossy(&bytes));
    let lines: Vec<&str> = clean.trim_end().lines().collect();
    let first = lines.len().saturating_sub(Tail::LINES);
    let shown = lines[first..].iter().map(|line| shortened(line.trim_end(), WIDEST));
    Ok(Tail { of, file: name.to_owned(), lines: shown.collect(), more: cut || first > 0 })
}

/// The last bytes of a regular file, at most `most`, and whether there are others before them.
pub(in crate::report) fn end_of(path: &Utf8Path, most: u64) -> io::Result<(Vec<u8>, bool)> {
    // Opening something else might wait for ever: it may be a pipe that the subtest has left.
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, length > most))
}
