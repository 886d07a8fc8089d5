//! The last lines of a log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::SystemTime;

use camino::Utf8Path;
use serde::Serialize;

use super::has;
use crate::report::text::{shortened, without_sequences};

/// Characters of a line that are shown.
pub(super) const WIDEST: usize = 400;

/// The last lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tail {
    /// What it is a log of: `console` or `session`.
    pub of: &'static str,
    /// The file's name, in the test's directory.
    pub file: String,
    /// The lines, without colours.
    pub lines: Vec<String>,
    /// Whether there are more before them.
    pub more: bool,
}

impl Tail {
    /// How many lines are shown.
    pub const LINES: usize = 20;

    /// Whether the log ends with these lines.
    pub(super) fn ends_with(&self, lines: &[String]) -> bool {
        let shorter = self.lines.len().min(lines.len());
        shorter > 0 && self.lines[self.lines.len() - shorter..] == lines[lines.len() - shorter..]
    }
}

/// The ends of the console's log and of the session's, of those files in `directory` that have
/// these names. Of several consoles or sessions, the one that was written to last is the one in
/// which something happened.
pub(super) fn of(directory: &Utf8Path, names: &[&str]) -> Vec<Tail> {
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
