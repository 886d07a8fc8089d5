//! Reads `events.jsonl` again, torn lines and all.

use std::io;

use camino::Utf8Path;
use serde::Deserialize;

use super::{Event, VERSION, What};

/// What a file is told that has no event.
pub(crate) const NO_RECORD: &str = "it has no events: it is no record of a run";

/// The events of a run, as they were found.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Every line that is whole.
    pub events: Vec<Event>,
    /// The numbers, counted from 1, of the lines that are not, each with the reason.
    pub broken: Vec<(usize, String)>,
}

/// Reads `path`. Lines that are torn or are no events are told of; they end nothing.
///
/// A file of another version is an error, as is one that cannot be read.
pub fn read(path: &Utf8Path) -> io::Result<Recorded> {
    let bytes = std::fs::read(path)?;
    let mut recorded = Recorded::default();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Event>(line) {
            Ok(Event { what: What::RunStarted(started), .. }) if started.version != VERSION => {
                return Err(other_version(path, started.version));
            }
            Ok(event) => recorded.events.push(event),
            Err(error) => match serde_json::from_slice::<Version>(line) {
                Ok(Version { version }) if version != VERSION => {
                    return Err(other_version(path, version));
                }
                _ => recorded.broken.push((index + 1, error.to_string())),
            },
        }
    }
    Ok(recorded)
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn other_version(path: &Utf8Path, version: u32) -> io::Error {
    io::Error::other(format!("{path} has version {version}; this program reads version {VERSION}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Phase;

    fn read_text(text: &[u8]) -> io::Result<Recorded> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        read(Utf8Path::from_path(file.path()).expect("UTF-8"))
    }

    fn line() -> String {
        let event = Event {
            at: "2026-01-02T03:04:05Z".parse().expect("a time"),
            ms: 12,
            what: What::PhaseStarted { test: 3, phase: Phase::Run },
        };
        let json = serde_json::to_string(&event).expect("serialises");
        assert_eq!(
            json,
            r#"{"at":"2026-01-02T03:04:05Z","ms":12,"event":"phase-started","test":3,"phase":"run"}"#
        );
        json
    }

    #[test]
    fn a_torn_line_costs_itself_only() {
        let line = line();
        let text = format!("{line}\n{}\n{line}\n{}", &line[..30], &line[..70]);
        let recorded = read_text(text.as_bytes()).expect("read");
        assert_eq!(recorded.events.len(), 2);
        let broken: Vec<usize> = recorded.broken.iter().map(|(line, _)| *line).collect();
        assert_eq!(broken, [2, 4]);
    }

    #[test]
    fn garbage_is_told_of() {
        let recorded = read_text(b"\xff\xfe\n\x00\x00\n{}\n").expect("read");
        assert_eq!((recorded.events.len(), recorded.broken.len()), (0, 3));
    }

    #[test]
    fn another_version_is_refused() {
        let error = read_text(b"{\"event\":\"run-started\",\"version\":2,\"new\":1}\n");
        assert!(error.expect_err("refused").to_string().contains("version 2"));
    }
}
