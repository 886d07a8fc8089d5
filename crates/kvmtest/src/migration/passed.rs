//! A descriptor of ours that QEMU reads a machine from, or writes it to.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, SeekFrom, fcntl_getfl, fstat, open, seek, tell};

use crate::error::Result;
use crate::monitor::QmpMonitor;

/// What QEMU calls the descriptor that it is given.
const NAME: &str = "kvmtest-migration";

/// A descriptor that QEMU has been given.
#[derive(Debug)]
pub(super) enum Passed {
    /// A socket or a pipe, which `migrate` and `migrate-incoming` take: `fd:`.
    Stream,
    /// A file, which they open: `file:`. QEMU keeps its own until it is told.
    File(u64),
}

impl Passed {
    /// Gives QEMU `descriptor`, to be used with `access` (`O_RDONLY`, `O_WRONLY`). A QEMU that
    /// knows of files wants to be told that it is one; an older one does not mind.
    pub(super) fn give(
        monitor: &QmpMonitor,
        descriptor: BorrowedFd<'_>,
        access: OFlags,
        knows_files: bool,
    ) -> Result<Self> {
        let is_file = || {
            let about = fstat(descriptor);
            about.is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::RegularFile)
        };
        if knows_files && is_file() {
            let file = with_access(descriptor, access)?;
            let file = file.as_ref().map_or(descriptor, AsFd::as_fd);
            return monitor.add_fd(file).map(Self::File);
        }
        monitor.pass_fd(NAME, descriptor)?;
        Ok(Self::Stream)
    }

    /// What stands for it in `migrate` and `migrate-incoming`.
    pub(super) fn uri(&self) -> String {
        match self {
            Self::Stream => format!("fd:{NAME}"),
            Self::File(set) => format!("file:/dev/fdset/{set}"),
        }
    }

    /// Takes it back after QEMU has refused to use it.
    pub(super) fn take_back(&self, monitor: &QmpMonitor) {
        match self {
            // It may have taken it before it refused.
            Self::Stream => drop(monitor.close_fd(NAME)),
            Self::File(_) => self.end(monitor),
        }
    }

    /// Has QEMU forget it when it is through with it.
    pub(super) fn end(&self, monitor: &QmpMonitor) {
        if let Self::File(set) = self
            && let Err(error) = monitor.remove_fd(*set)
        {
            // A QEMU that has ended has forgotten it.
            tracing::debug!("the descriptor of a migration stays: {error}");
        }
    }
}

/// `file`, opened once more, if it is not open for just this `access`, which QEMU insists on.
fn with_access(file: BorrowedFd<'_>, access: OFlags) -> Result<Option<OwnedFd>> {
    if fcntl_getfl(file)? & OFlags::RWMODE == access {
        return Ok(None);
    }
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = open(path, access | OFlags::CLOEXEC, Mode::empty())?;
    seek(&again, SeekFrom::Start(tell(file)?))?;
    Ok(Some(again))
}
