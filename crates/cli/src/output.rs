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
