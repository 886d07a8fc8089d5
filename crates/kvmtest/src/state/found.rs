//! A state that was found in the store, and is what was saved.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::fs::{linkat, open, unlinkat, utimensat};
use rustix::io::Errno;

use super::facts::Facts;
use super::manifest::{self, Manifest};
use crate::error::{Context, Error, ErrorKind, Result};

/// A state in the store, verified when it was found.
///
/// It may be dropped from the store at any time; what was [linked](Self::link_into) before stays.
#[derive(Debug, Clone)]
pub struct State {
    digest: String,
    directory: Utf8PathBuf,
    manifest: Arc<Manifest>,
    // The directory that was verified: at its path there may be another by now.
    handle: Arc<OwnedFd>,
    is_noted: bool,
}

/// A state, and how it came about.
#[derive(Debug)]
pub struct Found {
    /// The state.
    pub state: State,
    /// How long making it took; `None` if it was there.
    pub built: Option<Duration>,
}

impl State {
    pub(super) fn new(
        digest: &str,
        directory: &Utf8Path,
        manifest: Manifest,
        handle: OwnedFd,
    ) -> Self {
        Self {
            digest: digest.to_owned(),
            directory: directory.to_owned(),
            manifest: Arc::new(manifest),
            handle: Arc::new(handle),
            is_noted: true,
        }
    }

    /// The same, whose manifest on disk says what this one does, or not yet.
    pub(super) fn noted(self, is_noted: bool) -> Self {
        Self { is_noted, ..self }
    }

    /// Writes down that it was verified, if that is news. The caller has the lock.
    pub(super) fn note(&self) -> Result<()> {
        if self.is_noted { Ok(()) } else { self.manifest.write(&self.directory) }
    }

    /// What it is found by: [`Recipe::digest`](super::Recipe::digest).
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The lines of its recipe.
    pub fn recipe(&self) -> &str {
        &self.manifest.recipe
    }

    /// Where it lies, as long as it is in the store.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// What whoever made it wanted to be known of it.
    pub fn facts(&self) -> &Facts {
        &self.manifest.facts
    }

    /// The names of its files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.manifest.files.iter().map(|file| file.name.as_str())
    }

    /// Makes hard links of all its files in `directory`, which must be on the store's file system,
    /// and marks the state as used now.
    ///
    /// A state that was dropped meanwhile is an [`ErrorKind::StateGone`]: ask for it again. After
    /// an error no file of it is in `directory`.
    pub fn link_into(&self, directory: &Utf8Path) -> Result<()> {
        // First: from here on others are dropped before this one.
        self.touch()?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let target = open(directory.as_std_path(), flags, Mode::empty())
            .with_context(|| format!("opening {directory}"))?;
        let mut linked = Vec::new();
        for name in self.files() {
            if let Err(error) = linkat(&*self.handle, name, &target, name, AtFlags::empty()) {
                for name in linked {
                    // What cannot be removed is no worse than what the error says.
                    let _ = unlinkat(&target, name, AtFlags::empty());
                }
                return Err(self.not_linked(name, directory, error));
            }
            linked.push(name);
        }
        Ok(())
    }

    fn touch(&self) -> Result<()> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        match utimensat(&*self.handle, manifest::FILE, &times, AtFlags::empty()) {
            Err(Errno::NOENT) => Err(self.gone()),
            touched => touched.with_context(|| format!("marking {} as used", self.directory)),
        }
    }

    fn not_linked(&self, name: &str, directory: &Utf8Path, error: Errno) -> Error {
        let hint = match error {
            Errno::NOENT => return self.gone(),
            Errno::XDEV => " (a machine's files and the store must be on one file system)",
            _ => "",
        };
        let source = self.directory.join(name);
        Error::new(ErrorKind::State, format!("cannot link {source} into {directory}{hint}"))
            .caused_by(std::io::Error::from(error))
    }

    fn gone(&self) -> Error {
        let message =
            format!("the state `{}` ({}) was dropped meanwhile", self.name(), self.directory);
        Error::new(ErrorKind::StateGone, message)
    }
}
