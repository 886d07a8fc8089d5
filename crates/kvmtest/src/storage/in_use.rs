//! Whether a QEMU, of whomever, has an image open.

use std::fs::File;
use std::io::ErrorKind::{NotFound, PermissionDenied};

use camino::Utf8Path;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use crate::error::{Context, Result};

/// Whether some program of QEMU's has the file open: a machine, or `qemu-img`.
///
/// QEMU locks bytes of an image for what it does with it, also where it only reads
/// (`block/file-posix.c`), so that nobody gets a lock on the whole. Where it is got it is given back
/// at once.
pub(super) fn is_in_use(path: &Utf8Path) -> Result<bool> {
    let doing = || format!("looking who uses {path}");
    let file = match File::options().read(true).write(true).open(path) {
        // Of what may not be written to nobody can say.
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => return Ok(false),
        file => file.with_context(doing)?,
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(true),
        // The last ones are of file systems without locks: QEMU has none there, either.
        Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => Ok(false),
        Err(error) => Err(error).with_context(doing),
    }
}
