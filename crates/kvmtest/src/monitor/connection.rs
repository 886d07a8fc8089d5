//! One connection to a QMP socket: a thread that reads, and what it has read.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::Value;

use super::event::Event;
use super::transcript::{Direction, Transcript};
use crate::bell::{Bell, Listener};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::wait;

/// No line of QEMU comes near; what does is no QEMU.
const LINE_LIMIT: u64 = 64 << 20;

/// Events that nobody has fetched are kept up to this many; the oldest go first.
const EVENT_LIMIT: usize = 10_000;

pub(super) struct Connection {
    writer: Mutex<UnixStream>,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

struct Shared {
    inbox: Mutex<Inbox>,
    bell: Bell,
    transcript: Transcript,
}

/// What has been read and not been fetched.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) greeting: Option<Value>,
    /// Answers by the `id` of their command.
    pub(super) answers: HashMap<String, Value>,
    /// Answers without an `id`: to raw commands, and to what QEMU could not parse.
    pub(super) anonymous: VecDeque<Value>,
    pub(super) events: VecDeque<Event>,
    /// How many events there have been.
    pub(super) event_count: u64,
    /// Why nothing more will come.
    ended: Option<String>,
}

impl Connection {
    pub(super) fn new(stream: UnixStream, transcript: Transcript) -> Result<Self> {
        // Whatever this handle was set to before, the reader blocks and the writer does not wait
        // forever on a QEMU that no longer reads.
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(std::time::Duration::from_secs(20)))?;
        let reading = stream.try_clone()?;
        let shared =
            Arc::new(Shared { inbox: Mutex::default(), bell: Bell::default(), transcript });
        let for_reader = Arc::clone(&shared);
        let reader = std::thread::Builder::new()
            .name("qmp".into())
            .spawn(move || read_all(&for_reader, reading))?;
        Ok(Self { writer: Mutex::new(stream), shared, reader: Some(reader) })
    }

    /// Sends one line, and with its first byte the descriptor, if there is one.
    pub(super) fn send(&self, line: &[u8], descriptor: Option<BorrowedFd<'_>>) -> Result<()> {
        self.shared.transcript.note(Direction::ToQemu, line);
        let line = [line, b"\n"].concat();
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = descriptor.map_or(Ok(0), |descriptor| send_with(&writer, &line, descriptor));
        sent.and_then(|sent| writer.write_all(&line[sent..])).map_err(|error| {
            let why = self.inbox().ended.clone();
            let message = why.unwrap_or_else(|| "the monitor takes no commands".into());
            Error::new(ErrorKind::Monitor, message).caused_by(error)
        })
    }

    /// Waits until `take` finds what it looks for; `None` when the deadline passes first.
    pub(super) fn wait_for<T>(
        &self,
        deadline: Deadline,
        mut take: impl FnMut(&mut Inbox) -> Option<T>,
    ) -> Result<Option<T>> {
        let listener = self.shared.bell.listen()?;
        loop {
            listener.quiet();
            {
                let mut inbox = self.inbox();
                if let Some(found) = take(&mut inbox) {
                    return Ok(Some(found));
                }
                if let Some(why) = &inbox.ended {
                    return Err(Error::new(ErrorKind::Monitor, why.clone()));
                }
            }
            let [rung] = wait::readable([std::os::fd::AsFd::as_fd(&listener)], deadline)?;
            if !rung {
                return Ok(None);
            }
        }
    }

    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.shared.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listen(&self) -> Result<Listener> {
        self.shared.bell.listen()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = writer.shutdown(std::net::Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Sends the beginning of `line`, the descriptor with it; says how many bytes that were.
fn send_with(
    stream: &UnixStream,
    line: &[u8],
    descriptor: BorrowedFd<'_>,
) -> std::io::Result<usize> {
    let descriptors = [descriptor];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut room);
    rights.push(SendAncillaryMessage::ScmRights(&descriptors));
    loop {
        match sendmsg(stream, &[IoSlice::new(line)], &mut rights, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            sent => return Ok(sent?),
        }
    }
}

fn read_all(shared: &Shared, stream: UnixStream) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    let why = loop {
        line.clear();
        match (&mut lines).take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) => break "the monitor was closed".to_owned(),
            Ok(read) if read as u64 == LINE_LIMIT => {
                break format!("the monitor sent a line of more than {LINE_LIMIT} bytes");
            }
            Ok(_) => {}
            Err(error) => break format!("the monitor cannot be read: {error}"),
        }
        shared.transcript.note(Direction::FromQemu, &line);
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            let start: String = String::from_utf8_lossy(&line).chars().take(80).collect();
            break format!("the monitor sent what is no JSON: `{}`", start.escape_debug());
        };
        shared.inbox.lock().unwrap_or_else(PoisonError::into_inner).take_in(message);
        shared.bell.ring();
    };
    shared.inbox.lock().unwrap_or_else(PoisonError::into_inner).ended = Some(why);
    shared.bell.ring();
}

impl Inbox {
    fn take_in(&mut self, message: Value) {
        if let Some(event) = Event::from_message(&message, self.event_count) {
            self.event_count += 1;
            if self.events.len() == EVENT_LIMIT {
                self.events.pop_front();
            }
            self.events.push_back(event);
        } else if message.get("QMP").is_some() {
            self.greeting = Some(message);
        } else if let Some(id) = message.get("id").and_then(Value::as_str) {
            self.answers.insert(id.to_owned(), message);
        } else {
            self.anonymous.push_back(message);
        }
    }
}
