//! What the fake QEMU tells a test of itself.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};

use crate::{PATIENCE, Process};

/// A pipe with a line for each thing that happens in a fake QEMU; its end is that of the fake.
#[derive(Debug)]
pub struct Notes {
    /// Where the pipe is.
    pub path: Utf8PathBuf,
    pipe: std::fs::File,
    text: String,
}

impl Notes {
    pub(crate) fn new(path: &Utf8Path) -> Self {
        mknodat(CWD, path.as_std_path(), FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe: OwnedFd = open(path.as_std_path(), flags, Mode::empty()).expect("opened");
        Self { path: path.to_owned(), pipe: pipe.into(), text: String::new() }
    }

    /// Waits until the fake has noted `what`; gives back its process.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str) -> Process {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(pid) = self.take(what) {
                return Process::open(pid).expect("it lives");
            }
            let flags = self.poll(deadline.saturating_duration_since(Instant::now()));
            let read = self.read();
            assert!(read || !flags.is_empty(), "no note `{what}` within {PATIENCE:?}");
            assert!(read || self.text.contains(what), "it ended without a note `{what}`");
        }
    }

    /// Takes the note `what` and everything before it.
    fn take(&mut self, what: &str) -> Option<i32> {
        let start = format!("{what} ");
        let at = self.text.find(&start)?;
        let (line, rest) = self.text[at + start.len()..].split_once('\n')?;
        let pid = line.parse().expect("a number");
        self.text = rest.to_owned();
        Some(pid)
    }

    /// Whether anything was there to be read.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.pipe.read(&mut buffer) {
            Ok(read) => {
                self.text.push_str(std::str::from_utf8(&buffer[..read]).expect("notes are text"));
                read > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("notes cannot be read: {error}"),
        }
    }

    fn poll(&self, patience: Duration) -> PollFlags {
        let timeout = Timespec::try_from(patience).expect("not that long");
        let mut wanted = [PollFd::from_borrowed_fd(self.pipe.as_fd(), PollFlags::IN)];
        poll(&mut wanted, Some(&timeout)).expect("polled");
        wanted[0].revents()
    }
}
