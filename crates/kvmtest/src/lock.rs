//! An exclusive lock on a file, between processes and between threads of one.

use std::fs::{File, TryLockError};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::changes::{Changes, WatchFlags};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::{directories, wait};

/// An exclusive lock on a file that exists only as long as somebody has or wants it.
#[derive(Debug)]
pub(crate) struct Lock {
    path: Utf8PathBuf,
    // The lock is the open file's.
    file: File,
}

impl Lock {
    /// The lock, however long that takes: for locks that everybody has for the time of a small
    /// write.
    pub(crate) fn take(path: &Utf8Path) -> Result<Self> {
        loop {
            let file = open(path)?;
            // Held for the time of a small write by whoever has it, so there is no deadline.
            file.lock().with_context(|| format!("locking {path}"))?;
            if is_still(&file, path) {
                return Ok(Self { path: path.to_owned(), file });
            }
        }
    }

    /// The lock, if nobody has it.
    pub(crate) fn try_take(path: &Utf8Path) -> Result<Option<Self>> {
        loop {
            let file = open(path)?;
            if !try_lock(&file, path)? {
                return Ok(None);
            }
            if is_still(&file, path) {
                return Ok(Some(Self { path: path.to_owned(), file }));
            }
        }
    }

    /// The lock, as soon as nobody else has it; `None` if somebody has it when the deadline
    /// passes. For locks that are held for as long as a piece of work takes.
    pub(crate) fn wait(path: &Utf8Path, deadline: Deadline) -> Result<Option<Self>> {
        if let Some(lock) = Self::try_take(path)? {
            return Ok(Some(lock));
        }
        loop {
            let file = open(path)?;
            match wait_for(&file, path, deadline)? {
                Waited::Locked => return Ok(Some(Self { path: path.to_owned(), file })),
                Waited::Replaced => {}
                Waited::TooLong => return Ok(None),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked: who waits for it finds that the file is no longer at its
        // path, and makes another.
        let _ = std::fs::remove_file(&self.path);
        // Closing it would not do where a process that was forked has it open, too.
        let _ = self.file.unlock();
    }
}

/// How a wait for the lock of one open file ended.
enum Waited {
    Locked,
    /// Whoever had it has removed the file.
    Replaced,
    TooLong,
}

/// The file stays open all the time: closing it would wake all others who wait.
fn wait_for(file: &File, path: &Utf8Path, deadline: Deadline) -> Result<Waited> {
    const MOMENT: Duration = Duration::from_millis(1);
    let changes = watch(file).with_context(|| format!("watching the lock {path}"))?;
    let mut pause = MOMENT;
    while is_still(file, path) {
        if try_lock(file, path)? {
            return Ok(if is_still(file, path) { Waited::Locked } else { Waited::Replaced });
        }
        if deadline.expired() {
            return Ok(Waited::TooLong);
        }
        // The kernel tells that a file is closed a moment before it gives up the lock on it, and
        // nothing after that. So after each event there is another look, and another after twice
        // the time.
        let [changed] = wait::readable([changes.as_fd()], deadline.at_most(pause))?;
        if changed {
            pause = MOMENT;
            changes.quiet();
        } else {
            pause = pause.saturating_mul(2);
        }
    }
    Ok(Waited::Replaced)
}

/// Tells when somebody closes the file, or removes it.
fn watch(file: &File) -> Result<Changes> {
    // Removing a file that others have open changes how many names it has, which is an attribute.
    let what = WatchFlags::CLOSE_WRITE | WatchFlags::ATTRIB | WatchFlags::DELETE_SELF;
    // By way of the descriptor: at the path there may be another file by now.
    Changes::of(format!("/proc/self/fd/{}", file.as_raw_fd()), what)
}

fn try_lock(file: &File, path: &Utf8Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {path}")),
    }
}

fn open(path: &Utf8Path) -> Result<File> {
    let doing = || format!("opening the lock {path}");
    // Whoever leaves removes the directory if it is empty, perhaps between our two steps.
    for _ in 0..100 {
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            directories::private(directory)?;
        }
        let opened =
            File::options().write(true).create(true).truncate(false).mode(0o600).open(path);
        match opened {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            opened => return opened.with_context(doing),
        }
    }
    Err(Error::new(ErrorKind::Io, "its directory is removed again and again")).with_context(doing)
}

fn is_still(file: &File, path: &Utf8Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => {
            // A file is found under its path for a moment after its name is gone.
            ours.ino() == theirs.ino() && ours.dev() == theirs.dev() && ours.nlink() > 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
