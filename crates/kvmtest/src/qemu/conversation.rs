//! A short-lived process that is talked to over its standard streams, killed when dropped.

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use camino::Utf8Path;
use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::wait;

/// QEMU says a quarter of a megabyte; what says far more is something else.
const LIMIT: usize = 32 << 20;

/// A process that is talked to. Its group is killed when this is dropped.
pub(super) struct Conversation {
    child: Child,
    pidfd: OwnedFd,
    stdin: ChildStdin,
    stdout: Pipe<ChildStdout>,
    stderr: Pipe<ChildStderr>,
    ended: Option<ExitStatus>,
}

struct Pipe<R> {
    reader: R,
    bytes: Vec<u8>,
    open: bool,
}

impl Conversation {
    pub(super) fn start(path: &Utf8Path, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is our affair, and what a wrapper script has started goes with it.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                Error::new(ErrorKind::Host, format!("`{path}` cannot be executed")).caused_by(error)
            })?;
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
            unreachable!("all three were asked to be pipes")
        };
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty());
        let pidfd = pidfd.inspect_err(|_| drop(end(&mut child)))?;
        let conversation = Self {
            child,
            pidfd,
            stdin,
            stdout: Pipe { reader: stdout, bytes: Vec::new(), open: true },
            stderr: Pipe { reader: stderr, bytes: Vec::new(), open: true },
            ended: None,
        };
        set_nonblocking(&conversation.stdout.reader)?;
        set_nonblocking(&conversation.stderr.reader)?;
        Ok(conversation)
    }

    /// Writes a few bytes. That the other side does not listen any more shows when it is read.
    pub(super) fn say(&mut self, text: &str) {
        let _ = self.stdin.write_all(text.as_bytes());
    }

    /// The next line of its standard output, without the line's end; nothing once it has ended.
    pub(super) fn line(&mut self, deadline: Deadline) -> Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let bytes = &mut self.stdout.bytes;
            if let Some(at) = bytes[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = bytes.split_off(searched + at + 1);
                let mut line = std::mem::replace(bytes, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = bytes.len();
            if self.ended.is_some() {
                return Ok((!bytes.is_empty()).then(|| std::mem::take(bytes)));
            }
            self.listen(deadline)?;
        }
    }

    /// Its standard output to the end, after which it has succeeded or failed.
    pub(super) fn finish(&mut self, deadline: Deadline) -> Result<(Vec<u8>, ExitStatus)> {
        loop {
            if let Some(status) = self.ended {
                return Ok((std::mem::take(&mut self.stdout.bytes), status));
            }
            self.listen(deadline)?;
        }
    }

    /// What it has said on its standard error so far.
    pub(super) fn complaints(&self) -> &[u8] {
        &self.stderr.bytes
    }

    /// How it ended, in words.
    pub(super) fn end_in_words(&self) -> String {
        let code = self.ended.and_then(|status| status.code());
        let signal = self.ended.and_then(|status| status.signal());
        match (code, signal) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "it still runs".to_owned(),
        }
    }

    /// Waits for more to read, or for the end, and reads it.
    fn listen(&mut self, deadline: Deadline) -> Result<()> {
        let mut wanted = vec![(self.pidfd.as_fd(), PollFlags::IN)];
        if self.stdout.open {
            wanted.push((self.stdout.reader.as_fd(), PollFlags::IN));
        }
        if self.stderr.open {
            wanted.push((self.stderr.reader.as_fd(), PollFlags::IN));
        }
        let ready = wait::ready_flags(&wanted, deadline)?;
        if ready.iter().all(PollFlags::is_empty) {
            return Err(Error::new(ErrorKind::MonitorTimeout, "it does not answer in time"));
        }
        // The end is noted before the last reading: what was said before it is in the pipes by
        // then. Others that hold the pipes open are ended, not waited for.
        if !ready[0].is_empty() {
            self.ended = Some(end(&mut self.child)?);
        }
        self.stdout.read()?;
        self.stderr.read()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // There is nobody left to tell.
            let _ = end(&mut self.child);
        }
    }
}

impl<R: Read> Pipe<R> {
    fn read(&mut self) -> Result<()> {
        let mut chunk = [0; 16384];
        while self.open {
            match self.reader.read(&mut chunk) {
                Ok(0) => self.open = false,
                Ok(count) => self.bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == IoErrorKind::WouldBlock => break,
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if self.bytes.len() > LIMIT {
                return Err(Error::new(ErrorKind::Host, "it says far more than QEMU would"));
            }
        }
        Ok(())
    }
}

fn set_nonblocking(fd: impl AsFd) -> Result<()> {
    let flags = fcntl_getfl(&fd)?;
    Ok(fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?)
}

/// Ends the child, if it has not ended by itself, with whatever it has started.
fn end(child: &mut Child) -> Result<ExitStatus> {
    // As long as it has not been waited for, its number is its own, and its group's.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    Ok(child.wait()?)
}
