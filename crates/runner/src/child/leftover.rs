//! Processes that a child left behind: in its process group, or elsewhere.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::Duration;

use kvmtest::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The variable by which whatever a test starts is known as the test's, also in a session of its
/// own. Its value is the test's scratch directory. Guards and machines do not have it.
pub(super) use kvmtest::test::MARK;

/// A process that was still there when its test had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its id.
    pub pid: u32,
    /// Its command line, arguments joined by blanks.
    pub command: String,
    /// Whether it had left the child's process group, by which all of that could be killed.
    pub escaped: bool,
}

impl std::fmt::Display for Leftover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`)", self.pid, self.command)
    }
}

/// Whose processes are looked for.
#[derive(Debug)]
pub(super) struct Origin {
    /// The process group of the child, which leads it.
    group: Pid,
    /// When the child started, in the kernel's ticks: nothing that it left is older.
    started: u64,
    /// What stands in the environment of its processes.
    mark: Vec<u8>,
}

/// Living processes, and what to kill them by.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    found: Vec<(Leftover, OwnedFd)>,
}

impl Origin {
    /// The child that leads `group`, with `value` in [`MARK`].
    pub(super) fn new(group: Pid, value: &str) -> Self {
        let started = Stat::read(group.as_raw_pid().unsigned_abs()).map_or(0, |stat| stat.started);
        Self { group, started, mark: format!("{MARK}={value}").into_bytes() }
    }

    /// The living processes that came from the child, without itself.
    ///
    /// To be called while the child is dead but not yet waited for: only so long is it certain
    /// that the group's id means this group.
    pub(super) fn leftovers(&self) -> Leftovers {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Leftovers::default() };
        let leader = self.group.as_raw_pid().unsigned_abs();
        let found = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != leader)
            .filter_map(|pid| self.leftover(pid))
            .collect();
        Leftovers { found }
    }

    fn leftover(&self, pid: u32) -> Option<(Leftover, OwnedFd)> {
        let stat = Stat::read(pid)?;
        let in_group = stat.group == self.group.as_raw_pid();
        if !stat.lives || !in_group && (stat.started < self.started || !self.marks(pid)) {
            return None;
        }
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw)?;
        let pidfd = pidfd_open(raw, PidfdFlags::empty()).ok()?;
        // The id may have been given to another process by now.
        if Stat::read(pid)?.started != stat.started {
            return None;
        }
        Some((Leftover { pid, command: command_line(pid), escaped: !in_group }, pidfd))
    }

    /// Whether the environment of a process has the mark.
    fn marks(&self, pid: u32) -> bool {
        /// While a process becomes another program it has none.
        const LOOKS: usize = 5;
        for _ in 0..LOOKS {
            match std::fs::read(format!("/proc/{pid}/environ")) {
                Ok(environment) if environment.is_empty() => {
                    // For as long as that takes; nothing tells of its end.
                    let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 1_000_000 }));
                }
                environment => {
                    let environment = environment.unwrap_or_default();
                    return environment.split(|byte| *byte == 0).any(|one| one == self.mark);
                }
            }
        }
        false
    }
}

impl Leftovers {
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Kills them all, and waits a moment for that; gives back who they were.
    pub(super) fn end(self) -> Vec<Leftover> {
        let deadline = Deadline::after(MOMENT);
        for (_, pidfd) in &self.found {
            // What ended just now takes no signal.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        // Not by the library's waits: an interrupt is no reason to leave anything behind.
        for (_, pidfd) in &self.found {
            let timeout = Timespec::try_from(deadline.remaining()).ok();
            let _ = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], timeout.as_ref());
        }
        self.found.into_iter().map(|(leftover, _)| leftover).collect()
    }
}

/// How long what was killed may take to be gone.
const MOMENT: Duration = Duration::from_secs(1);

/// What is asked of a process.
struct Stat {
    lives: bool,
    group: i32,
    started: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        // A host may have thousands of processes: one read each has to do.
        let mut text = [0; 1024];
        let count = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut text).ok()?;
        Self::parse(&String::from_utf8_lossy(&text[..count]))
    }

    fn parse(stat: &str) -> Option<Self> {
        // The name in parentheses may hold anything, a closing parenthesis as well.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            lives: !matches!(*fields.first()?, "Z" | "X"),
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split('\0').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_understood_whatever_the_name() {
        let stat = Stat::parse(
            "12 (a) R 1) S 1 77 77 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 987654 1 2 3\n",
        );
        let stat = stat.expect("understood");
        assert_eq!((stat.lives, stat.group, stat.started), (true, 77, 987_654));
        assert!(Stat::parse("12 (a) Z 1 77").is_none());
        assert!(Stat::parse("").is_none());
    }
}
