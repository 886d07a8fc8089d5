//! Remembers what binaries can do.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::Capabilities;
use super::identity::Identity;
use crate::directories;
use crate::error::Result;
use crate::host::memo;

/// Grows whenever [`Capabilities`] changes its shape or its meaning.
const VERSION: u32 = 1;

/// The remembered capabilities of binaries, a file for each path.
pub(super) struct Cache {
    dir: Utf8PathBuf,
}

impl Cache {
    /// The user's cache.
    pub(super) fn open() -> Result<Self> {
        Self::at(&directories::cache()?.join("qemu"))
    }

    /// The cache in `dir`.
    pub(super) fn at(dir: &Utf8Path) -> Result<Self> {
        Ok(Self { dir: directories::private(dir)? })
    }

    pub(super) fn recall(&self, path: &Utf8Path, identity: &Identity) -> Option<Capabilities> {
        memo::recall(&self.file(path), VERSION, identity)
    }

    pub(super) fn remember(&self, path: &Utf8Path, identity: &Identity, known: &Capabilities) {
        memo::remember(&self.file(path), VERSION, identity, known);
    }

    pub(super) fn file(&self, path: &Utf8Path) -> Utf8PathBuf {
        let digest = Sha256::digest(path.as_str());
        let hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        self.dir.join(format!("{}-{hash:016x}.json", path.file_name().unwrap_or("qemu")))
    }
}
