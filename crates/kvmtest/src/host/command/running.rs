//! A program that runs.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::Ended;
use super::output::Output;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::wait;

/// How long what was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(5);
/// How often each stream is read at the end: whoever inherited it may hold it open for ever.
const LAST_ROUNDS: usize = 64;

/// A program that runs, as [`HostCommand::start`](super::HostCommand::start) gives it back. It is
/// killed, with all that it has started, when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Pid,
    pidfd: OwnedFd,
    output: Option<Output>,
    errors: Option<Output>,
    /// Set once it was waited for: from then on the number of the group may be somebody else's.
    status: Option<ExitStatus>,
}

/// A process that a program had started, and that was still there when the program had ended.
#[derive(Debug)]
pub struct Left {
    /// Its number.
    pub pid: u32,
    /// Its command line, arguments joined by blanks.
    pub command: String,
    pidfd: OwnedFd,
}

impl Running {
    pub(super) fn new(
        mut child: Child,
        output: Option<Output>,
        errors: Option<Output>,
    ) -> Result<Self> {
        let group = Pid::from_child(&child);
        match pidfd_open(group, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { child, group, pidfd, output, errors, status: None }),
            Err(error) => {
                let _ = kill_process_group(group, Signal::KILL);
                let _ = child.wait();
                Err(error.into())
            }
        }
    }

    /// Reads what it prints until it has ended (`true`) or the deadline has passed (`false`).
    pub fn wait(&mut self, deadline: Deadline) -> Result<bool> {
        self.wait_or(deadline, None)
    }

    /// The same, until `stop` can be read: that gives `false`, too.
    pub fn wait_or(
        &mut self,
        deadline: Deadline,
        stop: Option<std::os::fd::BorrowedFd<'_>>,
    ) -> Result<bool> {
        loop {
            let ready = {
                let streams = [&self.output, &self.errors].into_iter().flatten();
                let wanted: Vec<_> = std::iter::once(self.pidfd.as_fd())
                    .chain(stop)
                    .chain(streams.filter_map(Output::fd))
                    .map(|fd| (fd, PollFlags::IN))
                    .collect();
                wait::ready_flags(&wanted, deadline)?
            };
            if !ready[0].is_empty() {
                return Ok(true);
            }
            if stop.is_some() && !ready[1].is_empty() || ready.iter().all(PollFlags::is_empty) {
                return Ok(false);
            }
            self.read(1);
        }
    }

    /// Asks the whole group to end by `signal`, kills it where that takes longer than `grace`.
    #[must_use]
    pub fn end(mut self, signal: Signal, grace: Duration) -> Ended {
        let _ = kill_process_group(self.group, signal);
        match self.wait(Deadline::after(grace)) {
            Ok(true) => self.finish(),
            _ => self.kill(),
        }
    }

    /// Kills it, with all that it has started.
    pub fn kill(mut self) -> Ended {
        let _ = kill_process_group(self.group, Signal::KILL);
        // An interrupt ends this wait as well, and what was killed is as good as gone.
        let _ = self.wait(Deadline::after(KILLED));
        self.finish()
    }

    /// How it ended; waits for its end if it has not.
    pub fn finish(mut self) -> Ended {
        self.read(LAST_ROUNDS);
        // Its number means this group only as long as nobody has waited for it.
        let left = if self.has_ended() { left_in(self.group) } else { Vec::new() };
        let status = self.reap();
        let take = |stream: Option<Output>| stream.map(|mut output| output.finish());
        let output = take(self.output.take()).unwrap_or_default();
        let errors = take(self.errors.take()).unwrap_or_default();
        Ended { status, output, errors, left }
    }

    fn read(&mut self, rounds: usize) {
        for stream in [&mut self.output, &mut self.errors].into_iter().flatten() {
            stream.read(rounds);
        }
    }

    fn has_ended(&self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::PidFd(self.pidfd.as_fd()), options), Ok(Some(_)))
    }

    fn reap(&mut self) -> ExitStatus {
        match self.status {
            Some(status) => status,
            None => *self.status.insert(self.child.wait().unwrap_or_default()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = kill_process_group(self.group, Signal::KILL);
            self.reap();
        }
    }
}

impl Left {
    /// Whether it has ended when `deadline` passes, or before.
    pub fn ends_by(&self, deadline: Deadline) -> bool {
        // A pidfd can be read from the end of its process on.
        let mut wanted = [rustix::event::PollFd::new(&self.pidfd, PollFlags::IN)];
        loop {
            // More may remain afterwards, where the host had no time for anybody.
            let patience = rustix::event::Timespec::try_from(deadline.remaining()).ok();
            match rustix::event::poll(&mut wanted, patience.as_ref()) {
                Ok(0) if !deadline.expired() => {}
                ended => return ended.is_ok_and(|ended| ended > 0),
            }
        }
    }

    /// Kills it.
    pub fn kill(&self) {
        // What ended just now takes no signal.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} (`{}`)", self.pid, self.command)
    }
}

/// The living processes of `group`, apart from its leader, which has ended and not been waited for.
fn left_in(group: Pid) -> Vec<Left> {
    let leader = group.as_raw_nonzero().get().unsigned_abs();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter(|pid| *pid != leader && is_member(*pid, leader))
        .filter_map(|pid: u32| {
            let pidfd = pidfd_open(Pid::from_raw(pid.cast_signed())?, PidfdFlags::empty()).ok()?;
            // With the descriptor in hand: in between the number may have changed hands.
            is_member(pid, leader).then(|| Left { pid, command: command_line(pid), pidfd })
        })
        .collect()
}

fn is_member(pid: u32, group: u32) -> bool {
    let Ok(stat) = std::fs::read(format!("/proc/{pid}/stat")) else { return false };
    let stat = String::from_utf8_lossy(&stat);
    // The name in parentheses may hold anything, a closing parenthesis as well.
    let Some((_, rest)) = stat.rsplit_once(')') else { return false };
    let mut fields = rest.split_ascii_whitespace();
    let is_dead = matches!(fields.next(), Some("Z" | "X") | None);
    !is_dead && fields.nth(1).and_then(|field| field.parse().ok()) == Some(group)
}

fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(200).collect();
    line.escape_debug().to_string()
}
