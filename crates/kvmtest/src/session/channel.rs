//! Where the bytes of a session come from.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::process::{Process, ending};
use crate::deadline::Deadline;
use crate::wait;

/// A socket, or a process on a terminal. Nothing here ever blocks.
pub(super) enum Channel {
    /// A connected stream socket.
    Socket(OwnedFd),
    /// A process of ours.
    Process(Box<Process>),
    /// Closed by us.
    Closed,
}

/// What a read gave.
pub(super) enum Read {
    /// This many bytes.
    Some(usize),
    /// Nothing now.
    Nothing,
    /// The other side is gone; nothing will ever come.
    End,
}

const EXIT: Duration = Duration::from_millis(200);

impl Channel {
    /// What to poll for, to know that something can be read or that the end has come.
    pub(super) fn wanted(&self, flags: PollFlags) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        match self {
            Self::Socket(fd) => vec![(fd.as_fd(), flags)],
            Self::Process(process) => {
                vec![(process.master(), flags), (process.pidfd(), PollFlags::IN)]
            }
            Self::Closed => Vec::new(),
        }
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<Read> {
        let result = match self {
            Self::Socket(fd) => {
                rustix::net::recv(fd, into, RecvFlags::DONTWAIT).map(|(length, _)| length)
            }
            Self::Process(process) => {
                // Asked before reading: what a process wrote before its end is there by then.
                let ended = process.status().is_some();
                match rustix::io::read(process.master(), into) {
                    // Somebody whom it left behind may hold the terminal for ever.
                    Err(Errno::AGAIN) if ended => return Ok(Read::End),
                    other => other,
                }
            }
            Self::Closed => return Ok(Read::End),
        };
        match result {
            // EIO is how a terminal says that nobody holds its other end.
            Ok(0) | Err(Errno::IO | Errno::CONNRESET | Errno::PIPE) => Ok(Read::End),
            Ok(length) => Ok(Read::Some(length)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Read::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends as much as goes now; `None` if the other side is gone.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let result = match self {
            Self::Socket(fd) => {
                rustix::net::send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
            }
            Self::Process(process) => rustix::io::write(process.master(), bytes),
            Self::Closed => return Ok(None),
        };
        match result {
            Ok(length) => Ok(Some(length)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Some(0)),
            Err(Errno::IO | Errno::CONNRESET | Errno::PIPE) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Why nothing comes any more, as a message says it.
    pub(super) fn ending(&mut self) -> String {
        match self {
            Self::Socket(_) => "the other side closed the connection".to_owned(),
            Self::Process(process) => {
                // The terminal of a process that exits is closed a moment before it has ended.
                let _ = wait::readable([process.pidfd()], Deadline::after(EXIT));
                match process.status() {
                    Some(status) => ending(status),
                    None => "the process closed its terminal".to_owned(),
                }
            }
            Self::Closed => "the session is closed".to_owned(),
        }
    }
}
