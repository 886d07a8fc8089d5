//! Makes reports again from the events of a run.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

use super::Fold;
use super::console::{Console, ConsoleOptions};
use super::format::Format;
use super::html::Links;
use super::results::write_whole;
use super::whole::Whole;
use crate::event::{self, Event, Recorded, Survivor, What};

/// The events of a run, and what they tell.
pub struct Again {
    recorded: Recorded,
    whole: Whole,
}

impl Again {
    /// Reads the events of a results directory, of the last run in a folder of them, or of a file.
    ///
    /// The results are taken to lie where the events were found, wherever they lay once. Lines
    /// that are torn are told of in the reports; they are no error, but a file without any event
    /// is. Of machines that were left alive, those are told of that still live.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        let file = event::events_of(path).map_err(|why| Error::new(ErrorKind::Io, why))?;
        let mut recorded = event::read(&file).with_context(|| format!("reading {file}"))?;
        if recorded.events.is_empty() {
            return Err(Error::new(ErrorKind::Io, format!("{file}: {}", event::NO_RECORD)));
        }
        for event in &mut recorded.events {
            if let What::TestFinished(finished) = &mut event.what {
                // That they lived when the test was over helps nobody to get into them.
                finished.survivors.retain(Survivor::lives);
            }
        }
        let mut whole = Whole::of(&recorded);
        whole.set_results(&folder(&file)?);
        Ok(Self { recorded, whole })
    }

    /// The lines that are no events, with their numbers and the reason.
    pub fn broken(&self) -> &[(usize, String)] {
        &self.recorded.broken
    }

    /// Whether the run has told its end.
    pub fn is_finished(&self) -> bool {
        self.whole.end.is_some()
    }

    /// Writes what the console showed to `out`.
    pub fn console(&self, out: impl Write + Send, options: ConsoleOptions) -> io::Result<()> {
        let mut console = Console::new(out, ConsoleOptions { live: false, ..options });
        for event in &self.recorded.events {
            console.take(&self.moved(event))?;
        }
        if self.is_finished() {
            return Ok(());
        }
        console.unfinished(self.whole.counts(), self.whole.duration_ms())
    }

    /// Makes another report. `place` is the file that it will be in, if it will be in one: a page
    /// beside the results leads to them wherever they go.
    pub fn make(&self, format: Format, place: Option<&Utf8Path>) -> Result<Vec<u8>> {
        let beside = place
            .and_then(|place| folder(place).ok())
            .is_some_and(|folder| same(&folder, self.whole.results()));
        let links = if beside { Links::Relative } else { Links::Absolute };
        format.make(&self.whole, links).with_context(|| format!("making {}", format.file()))
    }

    /// The event as it would be had the results always lain where they do now.
    fn moved(&self, event: &Event) -> Event {
        let mut event = event.clone();
        if let What::RunStarted(started) = &mut event.what {
            self.whole.results().clone_into(&mut started.results);
        }
        event
    }
}

/// Writes a report into a file, at once or not at all.
pub fn write(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    // Renaming something over a pipe or a device would replace it.
    let metadata = path.metadata();
    if metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        let message = format!("{path} is a folder: name the file to write in it");
        return Err(Error::new(ErrorKind::Io, message));
    }
    let parent = path.parent().filter(|parent| !parent.as_str().is_empty());
    if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
        let message =
            format!("cannot write {path}: there is no folder {parent} (`mkdir -p {parent}`)");
        return Err(Error::new(ErrorKind::Io, message));
    }
    let special = metadata.is_ok_and(|metadata| !metadata.is_file());
    let written = if special { std::fs::write(path, bytes) } else { write_whole(path, bytes) };
    written.with_context(|| format!("writing {path}"))
}

/// The folder that a file lies in, without links.
fn folder(file: &Utf8Path) -> Result<Utf8PathBuf> {
    let folder = file.parent().filter(|parent| !parent.as_str().is_empty());
    let folder = folder.unwrap_or(Utf8Path::new("."));
    folder.canonicalize_utf8().with_context(|| format!("looking for the folder {folder}"))
}

fn same(one: &Utf8Path, other: &Utf8Path) -> bool {
    one.canonicalize_utf8().ok() == other.canonicalize_utf8().ok()
}
