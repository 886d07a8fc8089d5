//! `manifest.json`: what a built guest is, and of what it was made.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// Written last: a directory without it is no guest.
pub(super) const FILE: &str = "manifest.json";
/// Counted up when an older program could not use what is written.
pub(super) const VERSION: u32 = 1;

/// What a built guest is, and of what it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) version: u32,
    pub(super) name: String,
    pub(super) hash: String,
    /// The digest of the recipe, userland included.
    pub(super) recipe: String,
    pub(super) distribution: String,
    pub(super) kernel_params: String,
    pub(super) packages: Vec<Used>,
    pub(super) drivers: BTreeSet<String>,
    /// Sizes in bytes, by file name: what was cut off later is noticed without reading it.
    pub(super) files: BTreeMap<String, u64>,
}

/// A package that went in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) sha256: String,
}

impl Manifest {
    /// Reads the manifest in `directory` and looks at the files that it names.
    ///
    /// `Ok(None)` where there is none; `Err` says what is wrong with it.
    pub(super) fn read(directory: &Utf8Path) -> Result<Option<Self>, String> {
        let path = directory.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {path}: {error}")),
        };
        let version = serde_json::from_slice::<Versioned>(&text)
            .map_err(|error| format!("{path} is no manifest: {error}"))?
            .version;
        if version != VERSION {
            return Err(format!("{path} has version {version}, this program writes {VERSION}"));
        }
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("{path} is no manifest: {error}"))?;
        for (name, expected) in &manifest.files {
            let file = directory.join(name);
            match std::fs::metadata(&file) {
                Ok(metadata) if metadata.len() == *expected => {}
                Ok(metadata) => {
                    return Err(format!("{file} has {} bytes, not {expected}", metadata.len()));
                }
                Err(error) => return Err(format!("cannot read {file}: {error}")),
            }
        }
        Ok(Some(manifest))
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}
