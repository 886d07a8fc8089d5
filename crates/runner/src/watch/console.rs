//! The console of a machine that is watched.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest::changes::{Changes, WatchFlags};
use kvmtest::guest::sign::{Entry, Scanner, Signs};

/// A console's log, read as it grows.
pub(super) struct Console {
    log: File,
    changes: Changes,
    at: u64,
    scanner: Scanner,
}

/// So much is read before anything else is looked at.
const TURN: u64 = 4 << 20;

impl Console {
    /// The log at `path`, from byte `from` on.
    pub(super) fn open(path: &Utf8Path, from: u64, signs: Arc<Signs>) -> Result<Self> {
        let log = File::options().read(true).append(true).create(true).open(path)?;
        let changes = Changes::of(path, WatchFlags::MODIFY)?;
        Ok(Self { log, changes, at: from, scanner: Scanner::new(signs) })
    }

    /// Hands the lines that came to `seen`. Tells whether there is more to read.
    pub(super) fn read(&mut self, mut seen: impl FnMut(&[u8], Option<&Entry>)) -> bool {
        self.changes.quiet();
        let mut piece = vec![0; 64 << 10];
        let end = self.at + TURN;
        while self.at < end {
            // What cannot be read any more has nothing more to say.
            let Ok(read @ 1..) = self.log.read_at(&mut piece, self.at) else { return false };
            self.at += read as u64;
            self.scanner.feed(&piece[..read], &mut seen);
        }
        true
    }

    /// Leaves out what is too much to be read now: only the end is left.
    pub(super) fn skip(&mut self) {
        let length = self.log.metadata().map_or(0, |metadata| metadata.len());
        self.at = self.at.max(length.saturating_sub(TURN));
    }

    /// Takes the last line for a whole one.
    pub(super) fn finish(&mut self, seen: impl FnMut(&[u8], Option<&Entry>)) {
        self.scanner.finish(seen);
    }
}

impl AsFd for Console {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }
}
