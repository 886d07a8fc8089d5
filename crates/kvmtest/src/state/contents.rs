//! What lies in the store: states, and what is there while one is made or dropped.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Context, Result};
use crate::hexadecimal;
use crate::lock::Lock;

/// A file or directory of the store.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) kind: Kind,
    /// Of the state that it belongs to.
    pub(super) digest: String,
    pub(super) path: Utf8PathBuf,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `<digest>`
    State,
    /// `<digest>.new-…`: being made, or left by somebody who was killed while making it.
    Draft,
    /// `<digest>.old-…`: being removed, or left by somebody who was killed while removing it.
    Waste,
    /// `<digest>.lock`
    Lock,
}

/// All that is in the store; what has a name that the store does not give is not its own.
pub(super) fn items(root: &Utf8Path) -> Result<Vec<Item>> {
    let entries = root.read_dir_utf8().with_context(|| format!("reading {root}"))?;
    // A name that is not UTF-8 is an error, and no name of ours.
    let mut items: Vec<Item> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.into_path();
            let (kind, digest) = kind(path.file_name()?)?;
            Some(Item { kind, digest, path })
        })
        .collect();
    items.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(items)
}

fn kind(name: &str) -> Option<(Kind, String)> {
    let (digest, rest) = name.split_at_checked(64)?;
    if !digest.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let kind = match rest {
        "" => Kind::State,
        ".lock" => Kind::Lock,
        _ if rest.starts_with(".new-") => Kind::Draft,
        _ if rest.starts_with(".old-") => Kind::Waste,
        _ => return None,
    };
    Some((kind, digest.to_owned()))
}

/// Where the state of this digest is.
pub(super) fn directory(root: &Utf8Path, digest: &str) -> Utf8PathBuf {
    root.join(digest)
}

/// A new place for a draft of it.
pub(super) fn draft(root: &Utf8Path, digest: &str) -> Result<Utf8PathBuf> {
    Ok(root.join(format!("{digest}.new-{}", hexadecimal::random()?)))
}

/// Its lock: whoever makes it, digests all of it or drops it has that.
pub(super) fn lock(root: &Utf8Path, digest: &str) -> Utf8PathBuf {
    root.join(format!("{digest}.lock"))
}

/// Removes the state; says whether there was any. Nobody ever finds a part of one.
pub(super) fn drop_state(root: &Utf8Path, digest: &str) -> Result<bool> {
    let directory = directory(root, digest);
    let waste = root.join(format!("{digest}.old-{}", hexadecimal::random()?));
    match std::fs::rename(&directory, &waste) {
        Ok(()) => remove(&waste).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("removing {directory}")),
    }
}

/// Removes what builders of this state have left who were killed. The caller has the lock.
pub(super) fn remove_drafts(root: &Utf8Path, digest: &str, _lock: &Lock) -> Result<()> {
    let is_draft = |item: &Item| item.kind == Kind::Draft && item.digest == digest;
    items(root)?.iter().filter(|item| is_draft(item)).try_for_each(|item| remove(&item.path))
}

/// Removes a directory with all that is in it, or whatever else is there. That nothing is there is
/// no error: somebody else may be removing it.
pub(super) fn remove(path: &Utf8Path) -> Result<()> {
    let is_directory = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed =
        if is_directory { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {path}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_store_gives_are_its_own_and_no_others() {
        let digest = "0123456789abcdef".repeat(4);
        let check = |rest: &str, expected: Option<Kind>| {
            let name = format!("{digest}{rest}");
            assert_eq!(kind(&name), expected.map(|kind| (kind, digest.clone())), "{name}");
        };
        check("", Some(Kind::State));
        check(".lock", Some(Kind::Lock));
        check(".new-0123456789ab", Some(Kind::Draft));
        check(".old-x", Some(Kind::Waste));
        check("0", None);
        check(".locked", None);
        check(".bak", None);
        let long = digest.to_uppercase();
        for name in ["", "x", "booted", &digest[1..], &long, &"ö".repeat(40), "\x1b[2J"] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
