//! Where a test may write what nobody reads afterwards.

use std::fs::{File, TryLockError};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Context, Result, directories};

/// The directory for the scratch directories of all runs of this user.
pub fn root() -> Result<Utf8PathBuf> {
    directories::private(&directories::cache()?.join("tests"))
}

/// Removes the scratch directories of runs that were killed; says which.
pub fn collect(root: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let doing = || format!("clearing up in {root}");
    let _alone = lock(root).with_context(doing)?;
    let mut removed = Vec::new();
    for entry in root.read_dir_utf8().with_context(doing)? {
        let path = entry.with_context(doing)?.into_path();
        if path.is_dir() && is_abandoned(&path).with_context(doing)? {
            std::fs::remove_dir_all(&path).with_context(doing)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// A scratch directory that is locked as long as the run lives that made it, and removed when dropped.
pub struct Scratch {
    dir: tempfile::TempDir,
    /// Released by the kernel, too, when the run is killed.
    _lock: File,
}

impl Scratch {
    /// Makes one in `root`.
    pub fn make(root: &Utf8Path) -> Result<Self> {
        let make = || -> io::Result<Self> {
            // Nobody is to find it before it is locked.
            let _alone = lock(root)?;
            let dir = tempfile::Builder::new().prefix("test-").tempdir_in(root)?;
            let lock = File::open(dir.path())?;
            lock.lock()?;
            Ok(Self { dir, _lock: lock })
        };
        make().with_context(|| format!("making a scratch directory in {root}"))
    }

    /// Where it is; nothing if its path is not UTF-8.
    pub fn path(&self) -> Option<&Utf8Path> {
        Utf8Path::from_path(self.dir.path())
    }
}

fn lock(directory: &Utf8Path) -> io::Result<File> {
    let file = File::open(directory)?;
    // Held for the time of a few system calls by whoever has it, so there is no deadline.
    file.lock()?;
    Ok(file)
}

fn is_abandoned(directory: &Utf8Path) -> io::Result<bool> {
    match File::open(directory)?.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_is_removed() {
        let keep = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let held = Scratch::make(root).expect("made");
        let left = root.join("test-left");
        std::fs::create_dir_all(left.join("below")).expect("made");
        assert_eq!(collect(root).expect("collected"), [left.as_path()]);
        assert!(held.path().expect("UTF-8").is_dir() && !left.exists());
        drop(held);
        assert_eq!(root.read_dir_utf8().expect("listed").count(), 0);
    }
}
