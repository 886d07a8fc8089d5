//! Which file a binary is: what was learned of one file does not hold for another.

use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use crate::error::{Context, Result};

/// Folders in which distributions keep QEMU's modules, relative to the prefix of the binary.
const MODULE_FOLDERS: [&str; 5] = [
    "lib/x86_64-linux-gnu/qemu",
    "lib/aarch64-linux-gnu/qemu",
    "lib64/qemu",
    "lib64/qemu-kvm",
    "lib/qemu",
];

/// A file as it was at one time. Replacing it, writing to it or touching it changes the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    path: String,
    device: u64,
    inode: u64,
    size: u64,
    modified: Time,
    changed: Time,
    // A package of modules brings devices without touching the binary.
    modules: Vec<Time>,
}

/// Seconds since the epoch and nanoseconds.
type Time = (i64, i64);

impl Identity {
    pub(super) fn of(path: &Utf8Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).with_context(|| format!("looking at {path}"))?;
        Ok(Self {
            path: path.as_str().to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            modules: modules(path),
        })
    }
}

fn modules(path: &Utf8Path) -> Vec<Time> {
    let Some(prefix) = path.parent().and_then(Utf8Path::parent) else { return Vec::new() };
    MODULE_FOLDERS
        .iter()
        .filter_map(|folder| std::fs::metadata(prefix.join(folder)).ok())
        .map(|metadata| (metadata.mtime(), metadata.mtime_nsec()))
        .collect()
}
