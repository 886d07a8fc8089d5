//! A file that takes its name when it is complete.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat};

use crate::error::{Context, Error, ErrorKind, Result};

/// Tells apart what several threads are writing.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file beside the one that it is to become; gone when it is dropped before that.
pub(super) struct Unfinished {
    /// Under this name, if it has one already.
    path: Utf8PathBuf,
    becomes: Utf8PathBuf,
    /// A file without a name, which goes with whoever is killed.
    nameless: Option<File>,
    is_complete: bool,
}

impl Unfinished {
    /// Without a name, where the file system can do that. Only we may read it: it is the memory of
    /// a machine.
    pub(super) fn create(becomes: &Utf8Path) -> Result<(Self, File)> {
        let mut unfinished = Self::beside(becomes)?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let directory = becomes.parent().filter(|parent| !parent.as_str().is_empty());
        let directory = directory.unwrap_or(Utf8Path::new("."));
        let mode = Mode::RUSR | Mode::WUSR;
        let Ok(file) = rustix::fs::open(directory.as_std_path(), flags, mode) else {
            return unfinished.named();
        };
        let file = File::from(file);
        unfinished.nameless = Some(file.try_clone()?);
        Ok((unfinished, file))
    }

    pub(super) fn complete(mut self) -> Result<()> {
        let doing = || format!("naming {}", self.becomes);
        if let Some(file) = &self.nameless {
            let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
            let path = self.path.as_std_path();
            linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW).with_context(doing)?;
        }
        std::fs::rename(&self.path, &self.becomes).with_context(doing)?;
        self.is_complete = true;
        Ok(())
    }

    fn beside(becomes: &Utf8Path) -> Result<Self> {
        let Some(name) = becomes.file_name() else {
            let message = format!("`{becomes}` is not the name of a file");
            return Err(Error::new(ErrorKind::Io, message));
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = becomes.with_file_name(format!(".{name}.{}-{number}", std::process::id()));
        Ok(Self { path, becomes: becomes.to_owned(), nameless: None, is_complete: false })
    }

    fn named(self) -> Result<(Self, File)> {
        let mut options = OpenOptions::new();
        let open = options.read(true).write(true).create_new(true).mode(0o600).open(&self.path);
        let file = open.with_context(|| format!("creating {}", self.path))?;
        Ok((self, file))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_complete {
            // It has no name, or whoever removed its directory removed it, too.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
