//! `events.jsonl`: the events themselves.

use std::fs::File;
use std::io::{self, Write};

use camino::Utf8Path;

use super::Fold;
use crate::event::Event;

/// Writes each event as one line, at once, so that a run that is killed has told all it knew.
pub struct EventLog<W> {
    sink: W,
    torn: bool,
}

impl EventLog<File> {
    /// Makes `events.jsonl` in `dir`.
    pub fn create(dir: &Utf8Path) -> io::Result<Self> {
        Ok(Self::new(File::create_new(dir.join("events.jsonl"))?))
    }
}

impl<W: Write> EventLog<W> {
    /// Writes to `sink`.
    pub fn new(sink: W) -> Self {
        Self { sink, torn: false }
    }
}

impl<W: Write + Send> Fold for EventLog<W> {
    fn name(&self) -> &'static str {
        "events.jsonl"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        let mut line = Vec::new();
        if self.torn {
            // What stands before is half a line: close it, so that it spoils nothing but itself.
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, event)?;
        line.push(b'\n');
        let written = self.sink.write_all(&line);
        self.torn = written.is_err();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Phase, What, read};

    /// A disk that is full from byte `from` to byte `to`.
    struct Disk<'a> {
        file: &'a File,
        written: usize,
        full: std::ops::Range<usize>,
    }

    impl Write for Disk<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.full.contains(&self.written) {
                self.written = self.full.end;
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            let room = self.full.start.checked_sub(self.written).unwrap_or(usize::MAX);
            let count = self.file.write(&bytes[..bytes.len().min(room)])?;
            self.written += count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_a_full_disk_tore_spoils_nothing_but_itself() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let disk = Disk { file: file.as_file(), written: 0, full: 120..130 };
        let mut log = EventLog::new(disk);
        let results: Vec<bool> = (1..=4)
            .map(|test| {
                let what = What::PhaseStarted { test, phase: Phase::Run };
                let at = "2026-01-02T03:04:05Z".parse().expect("a time");
                log.take(&Event { at, ms: 0, what }).is_ok()
            })
            .collect();
        assert_eq!(results, [true, false, true, true]);
        let path = Utf8Path::from_path(file.path()).expect("UTF-8");
        let recorded = read(path).expect("read");
        assert_eq!((recorded.events.len(), recorded.broken.len()), (3, 1));
    }
}
