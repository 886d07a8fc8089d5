//! Copies of files that have holes.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::Utf8Path;
use rustix::fs::{SeekFrom, copy_file_range, ioctl_ficlone, seek};
use rustix::io::Errno;

use crate::error::{Context, Error, ErrorKind, Result};

/// How much is copied at once where the kernel does not do it.
const PIECE: usize = 1 << 20;

/// Makes `to`, which must not be there, a copy of `from`; holes stay holes. A file system that can
/// lets the two share what neither has changed.
pub(crate) fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let doing = || format!("copying {from} to {to}");
    let source = File::open(from).with_context(doing)?;
    let target = File::options().write(true).create_new(true).open(to).with_context(doing)?;
    rustix::fs::fchmod(&target, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .with_context(doing)?;
    if ioctl_ficlone(&target, &source).is_ok() {
        return Ok(());
    }
    let length = source.metadata().with_context(doing)?.len();
    target.set_len(length).with_context(doing)?;
    let mut at = 0;
    while at < length {
        let start = match seek(&source, SeekFrom::Data(at)) {
            Ok(start) => start,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(error).with_context(doing),
        };
        let end = seek(&source, SeekFrom::Hole(start)).with_context(doing)?;
        at = start;
        while at < end {
            let copied = copy_piece(&source, &target, at, end - at).with_context(doing)?;
            if copied == 0 {
                let message = format!("{from} became shorter meanwhile");
                return Err(Error::new(ErrorKind::Io, message)).with_context(doing);
            }
            at += copied;
        }
    }
    Ok(())
}

/// Copies some of the `wanted` bytes from `at` on; says how many.
fn copy_piece(source: &File, target: &File, at: u64, wanted: u64) -> Result<u64> {
    let (mut read, mut write) = (at, at);
    let length = usize::try_from(wanted).unwrap_or(usize::MAX);
    match copy_file_range(source, Some(&mut read), target, Some(&mut write), length) {
        Ok(copied) => Ok(copied as u64),
        // The kernel does it within one file system, and not in all of them.
        Err(Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM) => {
            copy_by_hand(source, target, at, wanted)
        }
        Err(error) => Err(error.into()),
    }
}

fn copy_by_hand(source: &File, target: &File, at: u64, wanted: u64) -> Result<u64> {
    let mut piece = vec![0; usize::try_from(wanted).map_or(PIECE, |wanted| wanted.min(PIECE))];
    let read = source.read_at(&mut piece, at)?;
    target.write_all_at(&piece[..read], at)?;
    Ok(read as u64)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_no_more_blocks() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(dir.path()).expect("UTF-8");
        let (from, to) = (dir.join("from"), dir.join("to"));
        let file = File::create(&from).expect("made");
        file.set_len(64 << 20).expect("sized");
        file.write_all_at(b"one", 0).expect("written");
        file.write_all_at(b"two", 40 << 20).expect("written");
        file.sync_all().expect("written");
        copy(&from, &to).expect("copied");
        assert!(std::fs::read(&from).expect("read") == std::fs::read(&to).expect("read"));
        let blocks = |path| std::fs::metadata(path).expect("there").blocks();
        assert!(blocks(&to) <= blocks(&from) + 16, "{} {}", blocks(&to), blocks(&from));
        copy(&from, &to).expect_err("it is there");
        // Another file system, where the kernel does not do it.
        let elsewhere = tempfile::tempdir_in("/dev/shm").expect("a directory");
        let there = Utf8Path::from_path(elsewhere.path()).expect("UTF-8").join("to");
        copy(&from, &there).expect("copied");
        assert!(std::fs::read(&from).expect("read") == std::fs::read(&there).expect("read"));
        assert!(blocks(&there) <= blocks(&from) + 16, "{}", blocks(&there));
        copy(&dir.join("no"), &dir.join("x")).expect_err("nothing to copy");
    }
}
