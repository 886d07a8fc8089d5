//! What a program prints: read as it comes, kept within limits.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use camino::Utf8PathBuf;

/// Bytes of a beginning that are kept in memory.
const BEGINNING: usize = 4 << 20;
/// Bytes of an end that are kept in memory.
const END: usize = 8 << 10;

/// One stream of a program.
#[derive(Debug)]
pub(super) struct Output {
    /// None once it has ended.
    pipe: Option<OwnedFd>,
    keep: Keep,
    kept: Vec<u8>,
    log: Option<Log>,
}

#[derive(Debug, PartialEq, Eq)]
enum Keep {
    Beginning,
    End,
}

#[derive(Debug)]
struct Log {
    path: Utf8PathBuf,
    file: Option<File>,
    left: u64,
    dropped: u64,
    failed: bool,
}

impl Output {
    pub(super) fn beginning(pipe: OwnedFd) -> Self {
        Self { pipe: Some(pipe), keep: Keep::Beginning, kept: Vec::new(), log: None }
    }

    pub(super) fn end(pipe: OwnedFd) -> Self {
        Self { pipe: Some(pipe), keep: Keep::End, kept: Vec::new(), log: None }
    }

    pub(super) fn logged(pipe: OwnedFd, path: Utf8PathBuf, limit: u64) -> Self {
        let log = Log { path, file: None, left: limit, dropped: 0, failed: false };
        Self { log: Some(log), ..Self::end(pipe) }
    }

    /// What is to be polled; nothing once it has ended.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Reads what is there, at most `rounds` times.
    pub(super) fn read(&mut self, rounds: usize) {
        let mut buffer = [0; 16 << 10];
        for _ in 0..rounds {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.take(&buffer[..count]),
                Err(rustix::io::Errno::INTR) => {}
                // Nothing there now, or nothing ever.
                Err(_) => return,
            }
        }
    }

    /// What was kept in memory; says in the log how much it lacks.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        if let Some(log) = &mut self.log {
            log.finish();
        }
        let mut kept = std::mem::take(&mut self.kept);
        if self.keep == Keep::End {
            kept.drain(..kept.len().saturating_sub(END));
        }
        kept
    }

    fn take(&mut self, bytes: &[u8]) {
        match self.keep {
            Keep::Beginning => {
                let room = BEGINNING.saturating_sub(self.kept.len()).min(bytes.len());
                self.kept.extend_from_slice(&bytes[..room]);
            }
            Keep::End => {
                self.kept.extend_from_slice(bytes);
                if self.kept.len() > 4 * END {
                    self.kept.drain(..self.kept.len() - END);
                }
            }
        }
        if let Some(log) = &mut self.log {
            log.take(bytes);
        }
    }
}

impl Log {
    /// A disk that is full loses bytes, but not the program.
    fn take(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= room as u64;
        self.dropped += (bytes.len() - room) as u64;
        if room > 0 && !self.failed && self.write(&bytes[..room]).is_err() {
            self.failed = true;
        }
    }

    fn finish(&mut self) {
        if self.dropped > 0 && !self.failed {
            let note = format!("\n[{} more bytes were dropped here]\n", self.dropped);
            // Its loss would be no worse than the loss that it speaks of.
            let _ = self.write(note.as_bytes());
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path)?),
        };
        file.write_all(bytes)
    }
}
