//! Digests of what goes into a state: images, kernels, initrds.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::digest;
use crate::directories;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::memo;

/// Grows whenever a digest of the same content would be another.
const VERSION: u32 = 1;

/// A file that was changed less than this ago may be changed once more and look as it does.
const SETTLED: Duration = Duration::from_secs(1);

/// A digest of what the file at `path` holds, 64 hexadecimal digits: two files have the same one if
/// they hold the same. Holes are not read, so it is not what `sha256sum` prints.
///
/// It is remembered in the cache as long as the file looks the same: device, inode, size, and the
/// times of the last modification and change. An interrupt ends it. What is no ordinary file is an
/// [`ErrorKind::State`]: nothing tells when a device has changed.
pub fn digest_of(path: &Utf8Path) -> Result<String> {
    digest_with(&directories::cache()?.join("digests"), path)
}

/// What a file looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// The same with the memos in `memos`.
fn digest_with(memos: &Utf8Path, path: &Utf8Path) -> Result<String> {
    let doing = || format!("digesting {path}");
    let file = File::open(path).with_context(doing)?;
    let metadata = file.metadata().with_context(doing)?;
    if !metadata.is_file() {
        let message = format!("{path} is no file: nothing tells whether what it holds has changed");
        return Err(Error::new(ErrorKind::State, message));
    }
    let looks = Looks::of(&metadata);
    let memo = memos.join(format!("{:x}-{:x}.json", looks.device, looks.inode));
    if let Some(digest) = memo::recall(&memo, VERSION, &looks) {
        return Ok(digest);
    }
    let digest = digest::of_content(&file).with_context(doing)?;
    let after = Looks::of(&file.metadata().with_context(doing)?);
    if after == looks && looks.are_settled() {
        directories::private(memos)?;
        memo::remember(&memo, VERSION, &looks, &digest);
    }
    Ok(digest)
}

impl Looks {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the clock has gone on since the last change: another one would show.
    fn are_settled(&self) -> bool {
        let changed = u64::try_from(self.changed.0).ok().map(Duration::from_secs);
        let changed = changed.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        let age = changed.and_then(|at| SystemTime::now().duration_since(at).ok());
        // Of its second nothing is known, so that second is over, too.
        age.is_some_and(|age| age > 2 * SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;

    use camino::Utf8PathBuf;

    use super::*;

    struct Room {
        _keep: tempfile::TempDir,
        memos: Utf8PathBuf,
        image: Utf8PathBuf,
    }

    impl Room {
        /// An image that was changed long ago.
        fn new() -> Self {
            let keep = tempfile::tempdir().expect("a directory");
            let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
            let room = Self { _keep: keep, memos: path.join("memos"), image: path.join("image") };
            room.write("one");
            room
        }

        fn write(&self, content: &str) {
            std::fs::write(&self.image, content).expect("written");
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
            let file = File::options().write(true).open(&self.image).expect("opened");
            file.set_times(FileTimes::new().set_modified(then)).expect("set");
        }

        fn digest(&self) -> String {
            digest_with(&self.memos, &self.image).expect("digested")
        }

        fn memos(&self) -> Vec<Utf8PathBuf> {
            let Ok(entries) = self.memos.read_dir_utf8() else { return Vec::new() };
            entries.map(|entry| entry.expect("listed").into_path()).collect()
        }

        /// Lets the memo of the image be that of a file that has not changed for long.
        fn remember(&self, digest: &str) -> Utf8PathBuf {
            let looks = Looks::of(&std::fs::metadata(&self.image).expect("there"));
            let memo = format!("{:x}-{:x}.json", looks.device, looks.inode);
            directories::private(&self.memos).expect("made");
            memo::remember(&self.memos.join(&memo), VERSION, &looks, &digest.to_owned());
            self.memos.join(memo)
        }
    }

    #[test]
    fn what_differs_has_another_digest_though_it_looks_the_same() {
        let room = Room::new();
        let one = room.digest();
        assert_eq!(one, room.digest());
        room.write("two");
        assert_ne!(one, room.digest());
        assert!(room.memos().is_empty(), "what was changed just now is not remembered");
    }

    #[test]
    fn what_is_remembered_is_not_read_again() {
        let room = Room::new();
        room.remember("remembered");
        assert_eq!(room.digest(), "remembered");
        // Any change of the file changes a time that nobody can set.
        room.write("two");
        assert_ne!(room.digest(), "remembered");
    }

    #[test]
    fn a_memo_that_is_broken_is_none() {
        let room = Room::new();
        let digest = room.digest();
        let memo = room.remember("remembered");
        std::fs::write(memo, "{").expect("written");
        assert_eq!(room.digest(), digest);
    }

    #[test]
    fn a_file_that_was_settled_is_remembered() {
        let looks = |changed| Looks { device: 1, inode: 1, size: 1, modified: (0, 0), changed };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after it");
        let now = i64::try_from(now.as_secs()).expect("it fits");
        for (changed, expected) in [(0, true), (now - 9, true), (now, false), (now + 99, false)] {
            assert_eq!(looks((changed, 0)).are_settled(), expected, "{changed}");
        }
    }

    #[test]
    fn a_program_of_this_host_is_remembered() {
        let room = Room::new();
        let shell = Utf8Path::new("/bin/sh");
        let digest = digest_with(&room.memos, shell).expect("digested");
        assert_eq!(room.memos().len(), 1);
        assert_eq!(digest_with(&room.memos, shell).expect("remembered"), digest);
    }

    #[test]
    fn what_is_no_file() {
        let room = Room::new();
        let error = |path: &str| digest_with(&room.memos, Utf8Path::new(path)).expect_err(path);
        assert_eq!(error("/dev/null").kind(), ErrorKind::State);
        assert_eq!(error("/").kind(), ErrorKind::State);
        let missing = error("/no/such/image");
        assert!(missing.to_string().contains("/no/such/image"), "{missing}");
    }
}
