//! The log of a session: every byte that was received, as it came.

use std::fs::{File, OpenOptions};
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Context, Result};

/// How many bytes a session's log may grow to, unless told otherwise.
pub const LOG_LIMIT: u64 = 1 << 30;

/// A file that is appended to, until its limit is reached or the disk is full.
pub(super) struct Log {
    path: Utf8PathBuf,
    file: Option<File>,
    left: u64,
}

impl Log {
    pub(super) fn open(path: &Utf8Path) -> Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("opening the session log {path}"))?;
        Ok(Self { path: path.to_owned(), file: Some(file), left: LOG_LIMIT })
    }

    pub(super) fn set_limit(&mut self, limit: u64) {
        self.left = limit;
    }

    /// Appends. A log that cannot be written any more is given up with a warning: it must not
    /// be what makes a test fail.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let mut result = file.write_all(&bytes[..room]);
        self.left -= room as u64;
        if room < bytes.len() {
            tracing::warn!(log = %self.path, "the session log has reached its limit");
            result =
                result.and_then(|()| file.write_all(b"\n[kvmtest: the log ends at its limit]\n"));
            self.file = None;
        }
        if let Err(error) = result {
            tracing::warn!(log = %self.path, %error, "the session log cannot be written");
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_ends_at_its_limit_and_says_so() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::try_from(dir.path().join("log")).expect("UTF-8");
        let mut log = Log::open(&path).expect("opened");
        log.set_limit(5);
        for piece in [&b"abc"[..], b"\xff\xfe\xfd", b"more"] {
            log.write(piece);
        }
        let content = std::fs::read(&path).expect("read");
        assert_eq!(content, b"abc\xff\xfe\n[kvmtest: the log ends at its limit]\n");
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_named() {
        let error = Log::open("/nonexistent/dir/log".into()).err().expect("no such directory");
        assert!(error.to_string().contains("/nonexistent/dir/log"), "{error}");
    }
}
