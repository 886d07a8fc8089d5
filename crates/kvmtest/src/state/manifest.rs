//! What the store notes of a state, in `state.json` beside its files.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::document;
use crate::error::Result;

/// Its name.
pub(super) const FILE: &str = "state.json";

/// Grows whenever what a state consists of, or what is noted of it, changes its meaning.
pub(super) const VERSION: u32 = 1;

/// What is noted of a state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) what: String,
    pub(super) recipe: String,
    pub(super) made: Timestamp,
    /// The boot of the host in which all files were last digested.
    pub(super) boot: String,
    pub(super) facts: Facts,
    pub(super) files: Vec<Noted>,
}

/// One file of a state, as it was when it was last digested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) name: String,
    /// In bytes, holes included.
    pub(super) length: u64,
    pub(super) sha256: String,
    /// Seconds since the epoch and nanoseconds.
    pub(super) modified: (i64, i64),
    pub(super) inode: u64,
}

impl Manifest {
    /// That of the state in `directory`; `None` where there is none.
    pub(super) fn read(directory: &Utf8Path) -> Result<Option<Self>> {
        document::read(&directory.join(FILE), VERSION)
    }

    /// Writes it. The caller is the only one to do so.
    pub(super) fn write(&self, directory: &Utf8Path) -> Result<()> {
        document::write_locked(&directory.join(FILE), self)
    }

    /// The version of the manifest in `directory`, if it is not this program's.
    pub(super) fn foreign_version(directory: &Utf8Path) -> Option<u32> {
        document::version(&directory.join(FILE)).filter(|version| *version != VERSION)
    }
}

impl Noted {
    /// Whether a file that looks like this one did is taken for it.
    pub(super) fn looks_like(&self, metadata: &Metadata) -> bool {
        // Each machine that starts from a state changes the time of its files' last change, by
        // linking them; so that is not looked at.
        let looks = (metadata.len(), (metadata.mtime(), metadata.mtime_nsec()), metadata.ino());
        looks == (self.length, self.modified, self.inode)
    }
}
