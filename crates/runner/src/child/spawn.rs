//! The runner's side of the child protocol: starts a child and watches it until it is gone.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use kvmtest::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, getrlimit, kill_process_group, pidfd_open,
    pidfd_send_signal, prlimit,
};

use super::capture::Capture;
use super::ending::{Breach, Ending};
use super::leftover::{self, Leftover, Origin};
use super::lines::{LineLimits, Lines};
use super::program::Program;
use super::protocol::{ChildEvent, EVENTS_FD, Request};

/// What a child may use up.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes in one event.
    pub line: usize,
    /// Bytes in all events of a test together.
    pub events: u64,
    /// Bytes kept of standard output, and of standard error.
    pub output: u64,
    /// Bytes of memory that each of the test's processes may have for itself (`RLIMIT_DATA`).
    pub memory: Option<u64>,
    /// How long a child may live on after it closed its event descriptor too early.
    pub closed: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 1 << 20,
            events: 64 << 20,
            output: 16 << 20,
            memory: None,
            closed: Duration::from_secs(1),
        }
    }
}

/// What the watching thread tells.
#[derive(Debug)]
pub enum Report {
    /// The child said something.
    Event(ChildEvent),
    /// The child said how the test ended; its process has still to end.
    Finished,
    /// The child broke the protocol: it is not listened to any more, and ought to be stopped.
    Breached,
    /// The child is gone. Nothing comes after this.
    Ended(Box<Ending>),
}

/// A child that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    control: UnixStream,
}

impl Running {
    /// Asks every process of the child's group to end (SIGTERM).
    pub fn terminate(&self) {
        self.send(b't');
    }

    /// Kills every process of the child's group (SIGKILL).
    pub fn kill(&self) {
        self.send(b'k');
    }

    fn send(&self, order: u8) {
        // The other end is closed only when the child is gone, and then the order is fulfilled.
        let _ = (&self.control).write(&[order]);
    }
}

/// Starts `program` with `request`; what it writes goes to `stdout.log` and `stderr.log` in the
/// test's results directory. `report` is called from a thread of its own.
pub fn start(
    program: &Program,
    request: &Request,
    limits: Limits,
    report: impl FnMut(Report) + Send + 'static,
) -> io::Result<Running> {
    let (events, events_of_child) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let (control, control_of_watcher) = UnixStream::pair()?;
    control.set_nonblocking(true)?;
    control_of_watcher.set_nonblocking(true)?;
    let mut child = Command::new(&program.path)
        .args(&program.args)
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .stdin(request_file(request)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .env(leftover::MARK, &request.identity.scratch_dir)
        .fd_mappings(vec![FdMapping { parent_fd: events_of_child, child_fd: EVENTS_FD }])
        .map_err(io::Error::other)?
        .spawn()
        .map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start {}: {error}", program.path))
        })?;
    let watched = (|| {
        let group = Pid::from_child(&child);
        limit_memory(group, limits.memory)?;
        let pidfd = pidfd_open(group, PidfdFlags::empty())?;
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        for fd in [Some(&events), stdout.as_ref(), stderr.as_ref()].into_iter().flatten() {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let dir = &request.identity.results_dir;
        Ok(Watcher {
            origin: Origin::new(group, request.identity.scratch_dir.as_str()),
            killed: false,
            group,
            pidfd,
            control: Some(control_of_watcher),
            events: Some(events),
            lines: Lines::new(LineLimits { line: limits.line, total: limits.events }),
            breach: None,
            closed: None,
            limits,
            stdout: (stdout, Capture::new(dir.join("stdout.log"), limits.output)),
            stderr: (stderr, Capture::new(dir.join("stderr.log"), limits.output)),
        })
    })();
    let watcher = match watched {
        Ok(watcher) => watcher,
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
    };
    std::thread::Builder::new()
        .name("child watcher".into())
        .spawn(move || watcher.watch(child, report))?;
    Ok(Running { control })
}

/// The request as a file without a name: a child that never reads it blocks nobody.
fn request_file(request: &Request) -> io::Result<Stdio> {
    let mut file = std::fs::File::from(rustix::fs::memfd_create(
        "kvmtest-request",
        rustix::fs::MemfdFlags::CLOEXEC,
    )?);
    // In one piece: each write is a call of the kernel.
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    file.write_all(&text)?;
    io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

/// The soft limit only: what a process of the test starts for others may lift it again.
fn limit_memory(process: Pid, bytes: Option<u64>) -> io::Result<()> {
    let Some(bytes) = bytes else { return Ok(()) };
    let Rlimit { maximum, .. } = getrlimit(Resource::Data);
    let current = Some(maximum.map_or(bytes, |maximum| maximum.min(bytes)));
    match prlimit(Some(process), Resource::Data, Rlimit { current, maximum }) {
        // It has ended already.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        limited => Ok(limited.map(drop)?),
    }
}

/// The lines of standard error that are kept as evidence.
const STDERR_LINES: usize = 20;

struct Watcher {
    group: Pid,
    origin: Origin,
    /// Whether the whole group was killed, so that what is left of it is on its way out.
    killed: bool,
    pidfd: OwnedFd,
    control: Option<UnixStream>,
    events: Option<OwnedFd>,
    lines: Lines,
    breach: Option<Breach>,
    /// Set once the event descriptor was closed too early.
    closed: Option<Deadline>,
    limits: Limits,
    stdout: (Option<OwnedFd>, Capture),
    stderr: (Option<OwnedFd>, Capture),
}

impl Watcher {
    fn watch(mut self, mut child: Child, mut report: impl FnMut(Report)) {
        while !self.wait() {
            self.take_orders();
            self.read_all(1, &mut report);
            self.check_closed(&mut report);
        }
        let leftovers = self.end_leftovers();
        // Whoever inherited the pipes may hold them open for ever: take what is there, no more.
        self.read_all(64, &mut report);
        if let (None, Err(torn)) = (&self.breach, self.lines.end()) {
            self.breach = Some(torn);
        }
        let exit = match child.wait() {
            Ok(status) => status.into(),
            Err(_) => super::ending::Exit::Code(-1),
        };
        self.stdout.1.end(0);
        report(Report::Ended(Box::new(Ending {
            exit,
            finished: self.lines.finished().cloned(),
            breach: self.breach,
            leftovers,
            stderr: self.stderr.1.end(STDERR_LINES),
        })));
    }

    /// Kills what the child left behind; gives back what is to be told of it.
    fn end_leftovers(&mut self) -> Vec<Leftover> {
        /// What starts others faster than they can be killed is given up.
        const ROUNDS: usize = 20;
        let mut told: Vec<Leftover> = Vec::new();
        for _ in 0..ROUNDS {
            // The leader is dead but not waited for, so its id means this group, and no other.
            let leftovers = self.origin.leftovers();
            self.signal(Signal::KILL);
            if leftovers.is_empty() {
                break;
            }
            for leftover in leftovers.end() {
                if told.iter().all(|old| old.pid != leftover.pid) {
                    told.push(leftover);
                }
            }
        }
        told.retain(|leftover| leftover.escaped || !self.killed);
        told
    }

    /// Waits for anything to happen; tells whether the child has ended.
    ///
    /// This does not go through the library's waits: an interrupt ends those, and a child has to
    /// be watched through an interrupt to its end.
    fn wait(&self) -> bool {
        let streams = [&self.events, &self.stdout.0, &self.stderr.0];
        let fds: Vec<BorrowedFd<'_>> = std::iter::once(self.pidfd.as_fd())
            .chain(self.control.as_ref().map(AsFd::as_fd))
            .chain(streams.into_iter().flatten().map(AsFd::as_fd))
            .collect();
        let mut polled: Vec<PollFd<'_>> =
            fds.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let timeout =
            self.closed.and_then(|deadline| Timespec::try_from(deadline.remaining()).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => polled[0].revents().contains(PollFlags::IN),
            Err(_) => false,
        }
    }

    fn take_orders(&mut self) {
        let Some(control) = &mut self.control else { return };
        let mut orders = [0; 16];
        match control.read(&mut orders) {
            // The other end was dropped: nobody waits for this child any more.
            Ok(0) => {
                self.control = None;
                self.signal(Signal::KILL);
            }
            Ok(count) if orders[..count].contains(&b'k') => {
                self.killed = true;
                self.signal(Signal::KILL);
            }
            Ok(_) => self.signal(Signal::TERM),
            Err(_) => {}
        }
    }

    fn signal(&self, signal: Signal) {
        // Both fail only when there is nobody left to be told.
        let _ = kill_process_group(self.group, signal);
        let _ = pidfd_send_signal(&self.pidfd, signal);
    }

    /// Reads what is there, at most `rounds` times from each stream.
    fn read_all(&mut self, rounds: usize, report: &mut impl FnMut(Report)) {
        let mut buffer = vec![0; 64 << 10];
        for (stream, capture) in [&mut self.stdout, &mut self.stderr] {
            read(stream, rounds, &mut buffer, |bytes| {
                capture.feed(bytes);
                true
            });
        }
        let (lines, breach) = (&mut self.lines, &mut self.breach);
        let had_finished = lines.finished().is_some();
        read(&mut self.events, rounds, &mut buffer, |bytes| {
            match lines.feed(bytes, |event| report(Report::Event(event))) {
                Ok(()) => true,
                Err(why) => {
                    *breach = Some(why);
                    report(Report::Breached);
                    false
                }
            }
        });
        if !had_finished && lines.finished().is_some() {
            report(Report::Finished);
        }
    }

    /// A descriptor that is closed before its time is a breach, unless the child ends right after.
    fn check_closed(&mut self, report: &mut impl FnMut(Report)) {
        if self.events.is_some() || self.breach.is_some() || self.lines.finished().is_some() {
            return;
        }
        let deadline = *self.closed.get_or_insert_with(|| Deadline::after(self.limits.closed));
        if deadline.expired() {
            self.closed = None;
            self.breach = Some(Breach::Closed);
            report(Report::Breached);
        }
    }
}

/// Reads `stream` until nothing is there, and closes it at its end or when `take` says so.
fn read(
    stream: &mut Option<OwnedFd>,
    rounds: usize,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]) -> bool,
) {
    for _ in 0..rounds {
        let Some(fd) = stream.as_ref() else { return };
        match rustix::io::read(fd, &mut *buffer) {
            Ok(count) if count > 0 && take(&buffer[..count]) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return,
            _ => *stream = None,
        }
    }
}
