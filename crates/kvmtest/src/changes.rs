//! Changes of files and directories, as they happen.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{LazyLock, mpsc};

use rustix::fs::inotify::{self, CreateFlags, Reader};

pub use rustix::fs::inotify::WatchFlags;
use rustix::io::Errno;

use crate::error::{Context, Error, ErrorKind, Result};

/// Tells of changes, by inotify: it can be read from ([`wait`](crate::wait)) when there are some.
#[derive(Debug)]
pub struct Changes {
    /// Gone only while this is dropped.
    inotify: Option<OwnedFd>,
}

impl Changes {
    /// Tells of nothing so far.
    pub fn new() -> Result<Self> {
        match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
            Ok(inotify) => Ok(Self { inotify: Some(inotify) }),
            // The kernel has one number for two limits, and the usual one is of files.
            Err(Errno::MFILE) => {
                let message = "this user watches as many directories as may be at a time, or this \
                               process has too many open files: see `sysctl \
                               fs.inotify.max_user_instances` and `ulimit -n`";
                Err(Error::new(ErrorKind::Host, message))
            }
            Err(error) => Err(error).context("watching for changes of files"),
        }
    }

    /// Tells of `what` happens to the file or in the directory `path`.
    pub fn of(path: impl AsRef<Path>, what: WatchFlags) -> Result<Self> {
        let changes = Self::new()?;
        changes.add(path, what)?;
        Ok(changes)
    }

    /// Tells of that as well.
    pub fn add(&self, path: impl AsRef<Path>, what: WatchFlags) -> Result<()> {
        let path = path.as_ref();
        inotify::add_watch(self, path, what)
            .map(drop)
            .with_context(|| format!("watching {}", path.display()))
    }

    /// Takes what there is to tell: for each change, which file of a directory it is about. Where
    /// more happened than could be told there is a change without a name.
    pub fn take(&self, mut seen: impl FnMut(Option<&str>)) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(self, &mut buffer);
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_string_lossy());
            seen(name.as_deref());
        }
    }

    /// Takes it, whatever it is.
    pub fn quiet(&self) {
        self.take(|_| {});
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_ref().expect("it is there until it is dropped").as_fd()
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if let Some(inotify) = self.inotify.take() {
            close_aside(inotify);
        }
    }
}

/// Closes it without waiting: the kernel takes up to 20 ms for it, until no processor looks at
/// what was watched any more.
fn close_aside(inotify: OwnedFd) {
    /// It needs none of it.
    const STACK: usize = 32 << 10;
    /// A user may have 128 of them in all, unless the host says otherwise.
    const MOST: usize = 4;
    static CLOSER: LazyLock<Option<mpsc::SyncSender<OwnedFd>>> = LazyLock::new(|| {
        let (sender, descriptors) = mpsc::sync_channel(MOST);
        let thread = std::thread::Builder::new().name("closer".to_owned()).stack_size(STACK);
        thread.spawn(move || descriptors.into_iter().for_each(drop)).ok().map(|_| sender)
    });
    if let Some(closer) = &*CLOSER {
        // It comes back, and is closed here, if there are that many already, or no such thread.
        let _ = closer.try_send(inotify);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadline::Deadline;
    use crate::wait;

    fn has_news(changes: &Changes) -> bool {
        let deadline = Deadline::after(Duration::ZERO);
        wait::readable([changes.as_fd()], deadline).expect("no interrupt")[0]
    }

    #[test]
    fn what_happens_in_a_directory_is_told_once_with_its_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let changes = Changes::of(directory.path(), WatchFlags::CREATE).expect("watched");
        assert!(!has_news(&changes));
        std::fs::write(directory.path().join("one"), "").expect("written");
        assert!(has_news(&changes));
        let mut names = Vec::new();
        changes.take(|name| names.extend(name.map(str::to_owned)));
        assert_eq!(names, ["one"]);
        assert!(!has_news(&changes), "it is told once");
        changes.take(|name| panic!("{name:?}"));
    }

    #[test]
    fn what_is_not_there_cannot_be_watched() {
        let error = Changes::of("/no/such/file", WatchFlags::MODIFY).expect_err("refused");
        assert_eq!(error.kind(), crate::ErrorKind::Io);
    }

    #[test]
    fn ones_that_are_dropped_are_closed_however_many_they_are() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        // More than a user may have at a time.
        for _ in 0..300 {
            Changes::of(file.path(), WatchFlags::MODIFY).expect("watched");
        }
    }
}
