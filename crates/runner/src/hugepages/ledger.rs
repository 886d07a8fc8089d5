//! Who has added how many pages, so that they can be given back for who was killed.

use std::io;

use camino::Utf8PathBuf;
use kvmtest::{Context, Error, ErrorKind, Result, directories};
use serde::{Deserialize, Serialize};

use super::Reserved;
use crate::report::write_whole;

const VERSION: u32 = 1;

/// A file that is there only while something is in it. It is read and written under the lock of a
/// pool; a second pool is rare enough not to matter.
pub(super) struct Ledger {
    path: Utf8PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    version: u32,
    reserved: Vec<Reserved>,
}

impl Ledger {
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn add(&self, reserved: &Reserved) -> Result<()> {
        let mut entries = self.read()?;
        entries.push(reserved.clone());
        self.write(entries)
    }

    /// Removes one such entry.
    pub(super) fn remove(&self, reserved: &Reserved) -> Result<()> {
        let mut entries = self.read()?;
        if let Some(at) = entries.iter().position(|entry| entry == reserved) {
            entries.remove(at);
            self.write(entries)?;
        }
        Ok(())
    }

    /// What was reserved of this size by processes that are gone.
    pub(super) fn of_the_dead(&self, size_kib: u64) -> Result<Vec<Reserved>> {
        let mut dead = Vec::new();
        for entry in self.read()?.into_iter().filter(|entry| entry.size_kib == size_kib) {
            if !entry.holder.is_alive()? {
                dead.push(entry);
            }
        }
        Ok(dead)
    }

    /// The sizes of pages that it tells of.
    pub(super) fn sizes(&self) -> Result<Vec<u64>> {
        let mut sizes: Vec<u64> = self.read()?.iter().map(|entry| entry.size_kib).collect();
        sizes.sort_unstable();
        sizes.dedup();
        Ok(sizes)
    }

    fn read(&self) -> Result<Vec<Reserved>> {
        let doing = || format!("reading {}", self.path);
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(doing),
        };
        // After a boot there are other pages, and one that is broken tells of none.
        match serde_json::from_slice::<Content>(&bytes) {
            Ok(content) if content.version == VERSION => Ok(content.reserved),
            Ok(content) => {
                let message =
                    format!("it has version {}, and this program reads {VERSION}", content.version);
                Err(Error::new(ErrorKind::Env, message)).with_context(doing)
            }
            Err(error) => {
                tracing::warn!("{} is broken, and is begun anew: {error}", self.path);
                Ok(Vec::new())
            }
        }
    }

    fn write(&self, reserved: Vec<Reserved>) -> Result<()> {
        let doing = || format!("writing {}", self.path);
        if reserved.is_empty() {
            return match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(error).with_context(doing)
                }
                _ => Ok(()),
            };
        }
        if let Some(parent) = self.path.parent() {
            directories::private(parent)?;
        }
        let content = Content { version: VERSION, reserved };
        let text = serde_json::to_vec_pretty(&content)
            .map_err(|error| Error::new(ErrorKind::Io, error.to_string()))?;
        write_whole(&self.path, &text).with_context(doing)
    }
}
