//! Where a test may write what nobody reads afterwards.

use std::fs::{File, TryLockError};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::env::Collected;
use kvmtest::{Context, Result, directories};

/// What the names of directories begin with that are being removed.
const GONE: &str = "gone-";

/// The directory for the scratch directories of all runs of this user.
pub fn root() -> Result<Utf8PathBuf> {
    directories::private(&directories::cache()?.join("tests"))
}

/// Removes the scratch directories of runs that were killed; says which, and which stay and why.
pub fn collect(root: &Utf8Path) -> Result<Vec<Collected>> {
    let mut collected = Vec::new();
    for (path, gone) in set_aside(root).with_context(|| format!("clearing up in {root}"))? {
        collected.extend(match std::fs::remove_dir_all(&gone) {
            Ok(()) => Some(Collected::Directory(path)),
            // Somebody else has found it, too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(Collected::Stays(format!("removing {gone}: {error}"))),
        });
    }
    Ok(collected)
}

/// Gives what is abandoned another name, so that whoever wants to make a directory need not wait
/// until all of it is removed; the names of before and after.
fn set_aside(root: &Utf8Path) -> io::Result<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
    let _alone = lock(root)?;
    let mut aside = Vec::new();
    for entry in root.read_dir_utf8()? {
        let path = entry?.into_path();
        let name = path.file_name().unwrap_or_default();
        // Of somebody who was killed in the midst of this, or could not remove all of it.
        if name.starts_with(GONE) {
            aside.push((path.clone(), path));
            continue;
        }
        let gone = root.join(format!("{GONE}{name}"));
        // Whoever has it may be ending at this moment.
        if path.is_dir() && is_abandoned(&path)? && std::fs::rename(&path, &gone).is_ok() {
            aside.push((path, gone));
        }
    }
    Ok(aside)
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
    let file = match File::open(directory) {
        // What nobody may open is nobody's in use: whoever has one can.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    match file.try_lock() {
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
        assert_eq!(collect(root).expect("collected"), [Collected::Directory(left.clone())]);
        assert!(held.path().expect("UTF-8").is_dir() && !left.exists());
        // Half removed by somebody who was killed.
        std::fs::create_dir_all(root.join("gone-test-x/below")).expect("made");
        assert_eq!(collect(root).expect("collected").len(), 1);
        drop(held);
        assert_eq!(root.read_dir_utf8().expect("listed").count(), 0);
    }
}
