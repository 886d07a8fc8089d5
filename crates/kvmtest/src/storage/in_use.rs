//! Whether a QEMU, of whomever, has an image open.

use std::fs::File;
use std::io::ErrorKind::{NotFound, PermissionDenied};
use std::os::fd::AsRawFd;

use camino::Utf8Path;

use crate::error::{Context, Result};

/// QEMU locks bytes of an image for what it does with it, from 100 on, and for what others are not
/// to do with it meanwhile, from 200 on (`block/file-posix.c`); also where it only reads.
const FIRST: libc::off_t = 100;
const COUNT: libc::off_t = 200;

/// Whether some program of QEMU's has the file open: a machine, or `qemu-img`. It is asked without
/// a lock being taken, so that nobody who opens the image meanwhile is in anybody's way.
#[expect(clippy::cast_possible_truncation, reason = "they are 0, 1 and 2")]
pub(super) fn is_in_use(path: &Utf8Path) -> Result<bool> {
    let file = match File::open(path) {
        // Of what may not be read nobody can tell.
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => return Ok(false),
        file => file.with_context(|| format!("looking who uses {path}"))?,
    };
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: FIRST,
        l_len: COUNT,
        l_pid: 0,
    };
    // SAFETY: the descriptor is open, and the call writes to nothing but `lock`, which lives.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    // A file system without locks has none of QEMU's, either.
    Ok(asked == 0 && lock.l_type != libc::F_UNLCK as libc::c_short)
}
