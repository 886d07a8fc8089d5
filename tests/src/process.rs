//! Processes of others.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use camino::Utf8Path;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that was found, known by a descriptor.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    fd: OwnedFd,
}

impl Process {
    /// The process `pid`, if there is one.
    pub fn open(pid: i32) -> Option<Self> {
        let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        Some(Self { pid, fd })
    }

    /// All processes whose command line, environment or working directory names `place`; this one
    /// apart.
    pub fn all_in(place: &Utf8Path) -> Vec<Self> {
        let entries = std::fs::read_dir("/proc").expect("there is /proc");
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let own = std::process::id().cast_signed();
        pids.filter(|pid| *pid != own && names(*pid, place)).filter_map(Self::open).collect()
    }

    /// Readable when it has ended.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The process that started this one, or adopted it.
    pub fn parent(&self) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Self::open(rest.split_whitespace().nth(1)?.parse().ok()?)
    }

    /// Sends a signal; what has ended takes none.
    pub fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.fd, signal);
    }

    /// Whether it ends within `patience`.
    pub fn ends_within(&self, patience: Duration) -> bool {
        let timeout = Timespec::try_from(patience).expect("not that long");
        loop {
            let mut wanted = [PollFd::from_borrowed_fd(self.fd.as_fd(), PollFlags::IN)];
            match poll(&mut wanted, Some(&timeout)) {
                Err(rustix::io::Errno::INTR) => {}
                ended => return ended.expect("polled") > 0,
            }
        }
    }

    /// Whether a signal has stopped it.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    }

    /// What it was started with.
    pub fn command_line(&self) -> String {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }
}

fn names(pid: i32, place: &Utf8Path) -> bool {
    let file = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let holds = |bytes: &[u8]| {
        let place = place.as_str().as_bytes();
        bytes.windows(place.len()).any(|window| window == place)
    };
    let directory = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    directory.starts_with(place) || holds(&file("cmdline")) || holds(&file("environ"))
}
