//! A line in the list of states.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::facts::Facts;
use super::look::{Care, Look, look};
use super::manifest::{self, Manifest};

/// What is known of a state without digesting large files.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is found by, 64 hexadecimal digits.
    pub digest: String,
    /// What people call it, if that can be told. As it was written: it may hold anything.
    pub name: Option<String>,
    /// A few words for people, from its recipe. They may hold anything, too.
    pub what: Option<String>,
    /// The lines of its recipe.
    pub recipe: Option<String>,
    /// What whoever made it wanted to be known.
    pub facts: Option<Facts>,
    /// Where it lies, or lay.
    pub directory: Utf8PathBuf,
    /// What its files take on disk, in bytes. Holes take nothing.
    pub bytes: u64,
    /// When it was made.
    pub made: Option<Timestamp>,
    /// When a machine last started from it.
    pub used: Option<Timestamp>,
    /// What it is worth.
    pub condition: Condition,
    /// What each file takes on disk, by device and inode: states may share some.
    pub(super) blocks: Blocks,
}

/// What a state is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It is as it was saved.
    Whole,
    /// It looks as it was saved, and is digested anew before its next use: the host was booted
    /// since, or somebody moved or touched its files.
    Unverified,
    /// It was made by another version of this program, and which.
    Foreign(u32),
    /// It cannot be used, and why.
    Broken(String),
    /// It could not be looked at, and why.
    Unreadable(String),
    /// It was never completed: whoever was making or removing it was killed.
    Unfinished,
}

pub(super) type Blocks = BTreeMap<(u64, u64), u64>;

impl Entry {
    /// What they take on disk together, in bytes: files that several of them have count once.
    pub fn bytes_of_all(entries: &[Self]) -> u64 {
        let all: Blocks = entries.iter().flat_map(|entry| entry.blocks.clone()).collect();
        all.values().sum()
    }

    /// The state `digest` in `directory`; `None` if there is none.
    pub(super) fn read(directory: &Utf8Path, digest: &str) -> Option<Self> {
        let condition = match look(directory, digest, Care::Glance) {
            Ok(Look::Absent) => return None,
            Ok(Look::Whole(_)) => Condition::Whole,
            Ok(Look::Doubtful) => Condition::Unverified,
            Ok(Look::Foreign(version)) => Condition::Foreign(version),
            Ok(Look::Broken(why)) => Condition::Broken(why),
            Err(error) => Condition::Unreadable(error.to_string()),
        };
        Some(Self::of(directory, digest, condition))
    }

    /// What was never completed.
    pub(super) fn unfinished(directory: &Utf8Path, digest: &str) -> Self {
        Self::of(directory, digest, Condition::Unfinished)
    }

    fn of(directory: &Utf8Path, digest: &str, condition: Condition) -> Self {
        let manifest = Manifest::read(directory).ok().flatten();
        let blocks = blocks(directory);
        let used = std::fs::metadata(directory.join(manifest::FILE)).ok();
        let entry = Self {
            digest: digest.to_owned(),
            name: None,
            what: None,
            recipe: None,
            facts: None,
            directory: directory.to_owned(),
            bytes: blocks.values().sum(),
            made: None,
            used: used.and_then(|metadata| modified(&metadata)),
            condition,
            blocks,
        };
        let Some(manifest) = manifest else { return entry };
        Self {
            name: Some(manifest.name),
            what: Some(manifest.what).filter(|what| !what.is_empty()),
            recipe: Some(manifest.recipe),
            facts: Some(manifest.facts),
            made: Some(manifest.made),
            ..entry
        }
    }
}

fn modified(metadata: &Metadata) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(metadata.mtime_nsec()).ok()?;
    Timestamp::new(metadata.mtime(), nanoseconds).ok()
}

/// What everything in and below `path` takes.
fn blocks(path: &Utf8Path) -> Blocks {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Blocks::new() };
    let mut blocks = Blocks::from([((metadata.dev(), metadata.ino()), metadata.blocks() * 512)]);
    if metadata.is_dir()
        && let Ok(entries) = path.read_dir_utf8()
    {
        for entry in entries.filter_map(Result::ok) {
            blocks.append(&mut self::blocks(entry.path()));
        }
    }
    blocks
}
