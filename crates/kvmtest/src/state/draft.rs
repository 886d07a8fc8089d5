//! A state that is being made.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::facts::Facts;
use super::manifest::{self, Manifest, Noted, VERSION};
use super::recipe::Recipe;
use super::{contents, digest};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::boot_id;

/// A state that is being made: a private directory in the store, removed unless it is completed.
#[derive(Debug)]
pub struct Draft {
    directory: Utf8PathBuf,
}

impl Draft {
    pub(super) fn make(root: &Utf8Path, digest: &str) -> Result<Self> {
        let directory = contents::draft(root, digest)?;
        let doing = || format!("making the directory {directory}");
        DirBuilder::new().mode(0o700).create(&directory).with_context(doing)?;
        Ok(Self { directory })
    }

    /// Where the files of the state are to be left: nothing but files, closed by whoever wrote
    /// them, and under any names but `state.json`.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Digests all files and makes the state out of them, at the place `directory`.
    pub(super) fn complete(
        self,
        recipe: &Recipe,
        facts: Facts,
        directory: &Utf8Path,
    ) -> Result<()> {
        let doing = || format!("keeping the state `{}`", recipe.name());
        let manifest = Manifest {
            version: VERSION,
            name: recipe.name().to_owned(),
            what: recipe.what().to_owned(),
            recipe: recipe.text().to_owned(),
            made: Timestamp::now(),
            boot: boot_id()?.to_owned(),
            facts,
            files: self.files().with_context(doing)?,
        };
        manifest.write(&self.directory).with_context(doing)?;
        std::fs::rename(&self.directory, directory).with_context(doing)
    }

    fn files(&self) -> Result<Vec<Noted>> {
        let wrong = |what: &str| Err(Error::new(ErrorKind::State, what));
        let mut files = Vec::new();
        for entry in self.directory.read_dir_utf8()? {
            let entry = entry?;
            let name = entry.file_name();
            if name == manifest::FILE {
                return wrong("`state.json` is the store's own file, and its maker has left one");
            }
            if !entry.file_type()?.is_file() {
                return wrong(&format!("its maker has left `{name}`, which is no file"));
            }
            files.push(Noted::read(entry.path()).with_context(|| format!("digesting `{name}`"))?);
        }
        if files.is_empty() {
            return wrong("its maker has left no file");
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // One that was completed is no longer there. What cannot be removed now is removed by
        // whoever makes this state next.
        let _ = contents::remove(&self.directory);
    }
}

impl Noted {
    fn read(path: &Utf8Path) -> Result<Self> {
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = File::options().read(true).custom_flags(nofollow).open(path)?;
        // First: what is written after it shows at the next look.
        let metadata = file.metadata()?;
        let sha256 = digest::of_content(&file)?;
        Ok(Self::of(path.file_name().unwrap_or_default(), &metadata, sha256))
    }

    pub(super) fn of(name: &str, metadata: &std::fs::Metadata, sha256: String) -> Self {
        Self {
            name: name.to_owned(),
            length: metadata.len(),
            sha256,
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            inode: metadata.ino(),
        }
    }
}
