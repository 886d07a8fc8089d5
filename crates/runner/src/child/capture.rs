//! Keeps what a child writes on standard output or error: in a file, up to a limit.

use std::fs::File;
use std::io::{self, Write};

use camino::Utf8PathBuf;

/// How many bytes of the end are kept in memory, as evidence.
const TAIL: usize = 8 << 10;

/// A file that takes what comes up to a limit, and remembers the end of it.
#[derive(Debug)]
pub(super) struct Capture {
    path: Utf8PathBuf,
    file: Option<File>,
    left: u64,
    dropped: u64,
    failed: bool,
    tail: Vec<u8>,
}

impl Capture {
    /// A capture into `path` of no more than `limit` bytes. The file is made with the first byte.
    pub(super) fn new(path: Utf8PathBuf, limit: u64) -> Self {
        Self { path, file: None, left: limit, dropped: 0, failed: false, tail: Vec::new() }
    }

    /// Takes the next bytes. A disk that is full loses them, but not the test.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= room as u64;
        self.dropped += (bytes.len() - room) as u64;
        if room > 0 && !self.failed && self.write(&bytes[..room]).is_err() {
            self.failed = true;
        }
    }

    /// The last lines that came, at most `count`. Says in the file how much was dropped.
    pub(super) fn end(mut self, count: usize) -> Vec<String> {
        if self.dropped > 0 && !self.failed {
            let note = format!("\n[{} more bytes were dropped here]\n", self.dropped);
            // Its loss would be no worse than the loss that it speaks of.
            let _ = self.write(note.as_bytes());
        }
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].iter().map(|line| (*line).to_owned()).collect()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path)?),
        };
        file.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(run: impl FnOnce(Utf8PathBuf)) {
        let dir = tempfile::tempdir().expect("a directory");
        run(Utf8PathBuf::from_path_buf(dir.path().join("out")).expect("UTF-8"));
    }

    #[test]
    fn a_flood_is_cut_and_said_so() {
        in_directory(|path| {
            let mut capture = Capture::new(path.clone(), 6);
            capture.feed(b"one\ntwo\nthree\n");
            assert_eq!(capture.end(2), ["two", "three"]);
            let kept = std::fs::read_to_string(path).expect("kept");
            assert_eq!(kept, "one\ntw\n[8 more bytes were dropped here]\n");
        });
    }

    #[test]
    fn silence_makes_no_file() {
        in_directory(|path| {
            assert!(Capture::new(path.clone(), 6).end(5).is_empty());
            assert!(!path.exists());
        });
    }

    #[test]
    fn a_place_that_cannot_be_written_loses_the_file_only() {
        let mut capture = Capture::new("/dev/null/out".into(), 100);
        capture.feed(b"a\n");
        capture.feed(b"b\n");
        assert_eq!(capture.end(5), ["a", "b"]);
    }

    #[test]
    fn memory_does_not_grow_with_the_flood() {
        let mut capture = Capture::new("/dev/null/out".into(), 0);
        for _ in 0..1000 {
            capture.feed(&[b'x'; 4096]);
            assert!(capture.tail.len() <= 2 * TAIL + 4096);
        }
    }
}
