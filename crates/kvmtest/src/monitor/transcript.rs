//! The log of a monitor: every line in both directions, as JSON lines.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use serde_json::json;

use crate::error::{Context, Result};

/// Past this many bytes the log says that it ends here: a monitor that is polled for hours, or
/// gone mad, must not fill the disk.
const LIMIT: usize = 64 << 20;

/// Where the lines go, if anywhere.
pub(super) struct Transcript {
    file: Option<Mutex<(File, usize)>>,
}

#[derive(Clone, Copy)]
pub(super) enum Direction {
    ToQemu,
    FromQemu,
}

impl Transcript {
    pub(super) fn open(path: Option<&Utf8Path>) -> Result<Self> {
        let file = path
            .map(|path| {
                File::options()
                    .append(true)
                    .create(true)
                    .open(path)
                    .with_context(|| format!("opening the monitor log {path}"))
            })
            .transpose()?;
        Ok(Self { file: file.map(|file| Mutex::new((file, 0))) })
    }

    /// Never fails: a full disk must not stop a monitor.
    pub(super) fn note(&self, direction: Direction, line: &[u8]) {
        let Some(file) = &self.file else { return };
        let mut guard = file.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, written) = &mut *guard;
        if *written > LIMIT {
            return;
        }
        let text = String::from_utf8_lossy(line);
        let message = serde_json::from_str(text.trim_end())
            .unwrap_or_else(|_| serde_json::Value::String(text.into_owned()));
        let direction = match direction {
            Direction::ToQemu => "to",
            Direction::FromQemu => "from",
        };
        let at = jiff::Timestamp::now().to_string();
        let mut entry = json!({ "at": at, direction: message }).to_string();
        *written += entry.len();
        if *written > LIMIT {
            entry.push_str("\n{\"end\":\"the log is full\"}");
        }
        entry.push('\n');
        let _ = file.write_all(entry.as_bytes());
    }
}
