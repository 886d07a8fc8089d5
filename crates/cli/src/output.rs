//! Standard output for what may be millions of lines.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use kvmtest::{Context, Result};

/// How much is written at once.
const PIECE: usize = 64 * 1024;

/// How long a line may lie here while others follow it.
const PATIENCE: Duration = Duration::from_millis(100);

/// Standard output, written in large pieces: a reader has the first line at once, and all others
/// when a piece is full or a moment has passed.
pub(crate) struct Output {
    /// Lines that nobody has seen yet.
    lines: Vec<u8>,
    written: Option<Instant>,
    closed: bool,
}

/// Whether anybody still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reader {
    /// Go on.
    Reads,
    /// The pipe is closed: whoever read has seen enough. What is written goes nowhere.
    Gone,
}

/// Objects of JSON for programs: one a line, or all as one array.
pub(crate) struct Objects {
    is_array: bool,
    has_begun: bool,
}

impl Objects {
    /// As one document, or one a line.
    pub(crate) fn new(is_array: bool) -> Self {
        Self { is_array, has_begun: false }
    }

    /// Adds one object, which `write` appends; it may end its line or not.
    pub(crate) fn add(&mut self, lines: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_array {
            lines.extend_from_slice(if self.has_begun { b",\n" } else { b"[\n" });
        }
        self.has_begun = true;
        write(lines);
        if lines.last() == Some(&b'\n') {
            lines.pop();
        }
        if !self.is_array {
            lines.push(b'\n');
        }
    }

    /// What stands after the last one.
    pub(crate) fn end(&self, lines: &mut Vec<u8>) {
        if self.is_array {
            lines.extend_from_slice(if self.has_begun { b"\n]\n" } else { b"[]\n" });
        }
    }
}

impl Output {
    /// Nothing is written yet.
    pub(crate) fn new() -> Self {
        Self { lines: Vec::with_capacity(2 * PIECE), written: None, closed: false }
    }

    /// Adds whole lines, which `write` appends.
    pub(crate) fn lines(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<Reader> {
        write(&mut self.lines);
        let due = self.lines.len() >= PIECE
            || self.written.is_none_or(|written| written.elapsed() >= PATIENCE);
        if due { self.flush() } else { Ok(Reader::Reads) }
    }

    /// Writes what is left.
    pub(crate) fn flush(&mut self) -> Result<Reader> {
        if !self.closed {
            let mut out = std::io::stdout().lock();
            match out.write_all(&self.lines).and_then(|()| out.flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed = true,
                written => written.context("writing to standard output")?,
            }
        }
        self.lines.clear();
        self.written = Some(Instant::now());
        Ok(if self.closed { Reader::Gone } else { Reader::Reads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_lines_or_an_array() {
        let check = |is_array: bool, objects: &[&str], expect: &str| {
            let mut all = Objects::new(is_array);
            let mut lines = Vec::new();
            for object in objects {
                all.add(&mut lines, |lines| lines.extend_from_slice(object.as_bytes()));
            }
            all.end(&mut lines);
            assert_eq!(String::from_utf8(lines).expect("UTF-8"), expect);
        };
        check(true, &["{}", "1\n"], "[\n{},\n1\n]\n");
        check(true, &[], "[]\n");
        check(false, &["{}", "1\n"], "{}\n1\n");
        check(false, &[], "");
    }
}
