//! The files of an initrd, before they are an archive.

use std::collections::BTreeMap;

/// Files by path, without a leading `/`. Parents come before what is in them, since a path sorts
/// before its continuations.
#[derive(Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// What lies at a path. Everything belongs to root and is from 1970.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A directory with these permissions.
    Directory(u32),
    /// A file with these permissions.
    File(u32, Vec<u8>),
    /// A symbolic link to this target.
    Link(String),
    /// A character device with these numbers.
    Device(u32, u32),
}

impl Tree {
    /// Adds `entry` at `path`, and the directories above it. What was there is replaced.
    pub(super) fn add(&mut self, path: &str, entry: Entry) {
        for (end, _) in path.match_indices('/') {
            self.entries.entry(path[..end].to_owned()).or_insert(Entry::Directory(0o755));
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// Whether something lies at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// All entries in the order of their paths.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }
}
