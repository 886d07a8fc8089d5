//! How tests ended in earlier runs, and how long they took: a database beside the results.
//!
//! It is `history.sqlite` in the folder in which runs make their folders, so that what belongs
//! together is together: the tests of one project. It holds nothing that `events.jsonl` of the
//! runs does not hold, and can be made anew from these.

mod pick;
mod recorder;
mod run;
mod single;
mod store;
mod story;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Error, ErrorKind, Result};

pub use pick::pick;
pub use recorder::Recorder;
pub use run::{Ran, Run};
pub use single::Single;
pub use story::{Last, Story, VERSION};

use crate::event;
use store::Store;

/// The name of the database in a folder of results.
pub const FILE: &str = "history.sqlite";

/// The history beside some results.
#[derive(Debug, Clone)]
pub struct History {
    base: Utf8PathBuf,
}

/// What was rebuilt, and what could not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many runs it is made of.
    pub runs: usize,
    /// What could not be read, each as a sentence.
    pub remarks: Vec<String>,
}

impl History {
    /// The history of the runs whose folders are in `base`. Nothing is read or made yet.
    pub fn beside(base: impl Into<Utf8PathBuf>) -> Self {
        Self { base: base.into() }
    }

    /// The database.
    pub fn path(&self) -> Utf8PathBuf {
        self.base.join(FILE)
    }

    /// Adds a run; one that is there already, from the same folder, is replaced.
    pub fn add(&self, run: &Run) -> Result<()> {
        Store::make(&self.path())?.add(run)
    }

    /// The story of each test, those first that deserve a look; nothing where nothing was ever run.
    pub fn stories(&self) -> Result<Vec<Story>> {
        let mut stories = self.ask(Vec::new(), Store::stories)?;
        stories.sort_by(Story::order);
        Ok(stories)
    }

    /// Every end of the tests with these full names, by name, the last one first.
    pub fn singles(&self, names: &HashSet<&str>) -> Result<HashMap<String, Vec<Single>>> {
        self.ask(HashMap::new(), |store| store.singles(names))
    }

    /// The full names of the tests that failed when they were last run; known failures are not
    /// among them.
    pub fn failing(&self) -> Result<HashSet<String>> {
        self.ask(HashSet::new(), Store::failing)
    }

    /// How long tests take, by their full names: the median of the last times they passed.
    pub fn times(&self) -> Result<HashMap<String, Duration>> {
        self.ask(HashMap::new(), Store::times)
    }

    /// Makes the database anew from the events of all runs in the folder.
    pub fn rebuild(&self) -> Result<Rebuilt> {
        let doing = || format!("rebuilding {}", self.path());
        let mut rebuilt = Rebuilt::default();
        let mut folders = Vec::new();
        for entry in self.base.read_dir_utf8().with_context(doing)? {
            let path = entry.with_context(doing)?.into_path();
            // `latest` is one of the others.
            if path.join("events.jsonl").is_file() && !path.is_symlink() {
                folders.push(path);
            }
        }
        folders.sort();
        let dir = tempfile::Builder::new()
            .prefix(".history-")
            .tempdir_in(&self.base)
            .with_context(doing)?;
        let new = Utf8Path::from_path(dir.path()).map(|dir| dir.join(FILE)).ok_or_else(|| {
            Error::new(ErrorKind::Io, "the name of a temporary folder is not UTF-8")
        })?;
        let mut store = Store::make(&new)?;
        for folder in folders {
            match recorded(&folder, &mut rebuilt.remarks) {
                Ok(Some(run)) => {
                    store.add(&run)?;
                    rebuilt.runs += 1;
                }
                Ok(None) => {}
                Err(error) => rebuilt.remarks.push(format!("{folder}: left out: {error}")),
            }
        }
        drop(store);
        std::fs::rename(&new, self.path()).with_context(doing)?;
        Ok(rebuilt)
    }

    fn ask<T>(&self, nothing: T, question: impl FnOnce(&Store) -> Result<T>) -> Result<T> {
        match Store::open(&self.path())? {
            Some(store) => question(&store),
            None => Ok(nothing),
        }
    }
}

/// How long the tests of one run took that passed in it, by their full names; `path` is the file
/// of its events.
pub fn times_of(path: &Utf8Path) -> std::io::Result<HashMap<String, Duration>> {
    let mut recorder = Recorder::default();
    for event in &event::read(path)?.events {
        recorder.note(event);
    }
    let tests = recorder.run().map(|run| run.tests).unwrap_or_default();
    let passed = tests.into_iter().filter(|test| test.outcome.is_pass());
    Ok(passed.map(|test| (test.name, Duration::from_millis(test.duration_ms))).collect())
}

/// A run by its events; nothing where it has none that matter.
fn recorded(folder: &Utf8Path, remarks: &mut Vec<String>) -> std::io::Result<Option<Run>> {
    let recorded = event::read(&folder.join("events.jsonl"))?;
    if let Some((line, why)) = recorded.broken.first() {
        let count = recorded.broken.len();
        remarks.push(format!(
            "{folder}/events.jsonl:{line}: {count} broken lines were left out: {why}"
        ));
    }
    let mut recorder = Recorder::default();
    for event in &recorded.events {
        recorder.note(event);
    }
    // The folder may have been moved since.
    let name = folder.file_name().unwrap_or_default().to_owned();
    Ok(recorder.run().map(|run| Run { directory: name, ..run }))
}
