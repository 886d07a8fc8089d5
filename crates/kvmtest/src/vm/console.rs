//! The serial console's one connection, which follows the machine when it moves.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Record;
use crate::deadline::Deadline;
use crate::env::Shared;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{Closed, Gate};
use crate::wait;

/// How long a guest that is to be stopped may take to read what was typed.
const TAKING: Duration = Duration::from_secs(1);

/// The serial consoles that this process has sessions on: a second connection would hang.
static LINES: LazyLock<Shared<Line>> = LazyLock::new(Shared::new);

/// A connection to the serial console of one machine, wherever that is.
pub(super) struct Line {
    way: Mutex<Way>,
    /// Closed while the machine goes over: what is typed goes through this one, what is read
    /// through that.
    gate: Arc<Gate>,
    output: Arc<Gate>,
    /// The connection by which a session talks at present.
    talk: Mutex<Option<UnixStream>>,
}

/// Nobody types or reads until this is dropped, but who holds it.
#[must_use = "it ends when this is dropped"]
pub(super) struct Held {
    _input: Closed,
    _output: Closed,
}

/// Where a console's session is to go on. A machine may move several times before its session
/// looks: what was said at each place is still to be read there.
#[derive(Default)]
struct Way {
    /// Where the machine may be about to go on: connected to before it does, so that nothing that
    /// the guest says is lost.
    expected: Option<Stop>,
    next: VecDeque<Stop>,
}

impl Way {
    /// Where to go on, if the machine is now that of `record`.
    fn stop(&mut self, record: &Record) -> Option<Stop> {
        let is_there = |stop: &mut Stop| stop.id == record.instance.id;
        self.next.pop_front().or_else(|| self.expected.take_if(is_there))
    }
}

/// A place that a machine goes to: an instance, and a connection to its console.
pub(super) struct Stop {
    pub(super) id: String,
    pub(super) stream: UnixStream,
}

impl Line {
    /// Whether this process has a session on the console of the machine of `record`.
    pub(super) fn of(record: &Record) -> Option<Arc<Self>> {
        LINES.get(&key(&record.instance.id))
    }

    /// Takes the console of the machine of `record`, which is free.
    pub(super) fn take(record: &Record) -> Arc<Self> {
        let line = Arc::new(Self {
            way: Mutex::default(),
            gate: Arc::default(),
            output: Arc::default(),
            talk: Mutex::default(),
        });
        LINES.put(key(&record.instance.id), &line);
        line
    }

    /// Holds back what is typed, and gives the machine, which is about to be stopped, a moment to
    /// take what was typed before: what it has taken goes along, and what is typed later is for
    /// where it goes on. What it does not take in that time may be lost.
    ///
    /// Then nobody reads, until the QEMU that it left is gone: what waits in the serial port goes
    /// along, and that QEMU would still send it wherever there is room.
    pub(super) fn hold(&self) -> Result<Held> {
        const MOMENT: Duration = Duration::from_millis(1);
        let deadline = Deadline::after(TAKING);
        let closed = self.gate.close(deadline);
        let talk = self.talk().as_ref().map(UnixStream::try_clone).transpose()?;
        while talk.as_ref().is_some_and(is_untaken) {
            if deadline.expired() {
                tracing::warn!("a guest that moves has not taken all that was typed before");
                break;
            }
            // No event tells of it.
            wait::ready_flags(&[], deadline.at_most(MOMENT))?;
        }
        Ok(Held { _input: closed, _output: self.output.close(Deadline::after(TAKING)) })
    }

    /// Holds back what is typed while the machine is set back to another moment, in which nobody
    /// will have typed it.
    pub(super) fn shut(&self) -> Closed {
        self.gate.close(Deadline::after(TAKING))
    }

    /// What holds back what is typed.
    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// What holds back who reads.
    pub(super) fn output_gate(&self) -> &Arc<Gate> {
        &self.output
    }

    /// A session talks by way of `stream` from now on.
    pub(super) fn talks_by(&self, stream: &UnixStream) -> Result<()> {
        *self.talk() = Some(stream.try_clone()?);
        Ok(())
    }

    /// Nobody talks any more.
    pub(super) fn rests(&self) {
        *self.talk() = None;
    }

    fn talk(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine may be about to go on as `record`: the console's connection is made.
    pub(super) fn expect(self: &Arc<Self>, record: &Record) -> Result<()> {
        let stream = connect(record)?;
        let id = record.instance.id.clone();
        LINES.put(key(&id), self);
        self.way().expected = Some(Stop { id, stream });
        Ok(())
    }

    /// The machine has gone on where it was expected: its session finds it from now on.
    pub(super) fn move_on(&self) {
        let mut way = self.way();
        let stop = way.expected.take();
        way.next.extend(stop);
    }

    /// The machine has not gone anywhere after all.
    pub(super) fn stay(&self) {
        self.way().expected = None;
    }

    /// Whether its session has not looked yet where the machine went.
    pub(super) fn has_moved(&self) -> bool {
        !self.way().next.is_empty()
    }

    /// The next place where the session has to look: `record` is what the machine is now.
    pub(super) fn next_stop(&self, record: &Record) -> Option<Stop> {
        self.way().stop(record)
    }

    /// Its session has followed the machine to where it is as `record`, whoever moved it.
    pub(super) fn has_followed(self: &Arc<Self>, record: &Record) {
        LINES.put(key(&record.instance.id), self);
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects to the first serial console.
pub(super) fn connect(record: &Record) -> Result<UnixStream> {
    let serial = record.line.serials.first().ok_or_else(|| {
        Error::new(
            ErrorKind::LoginTerminated,
            format!("the VM `{}` has no serial console", record.name),
        )
    })?;
    record.instance.connect(&serial.socket)
}

/// The end of what the first serial console has shown; empty if that cannot be read.
pub(super) fn last_shown(record: &Record) -> Vec<u8> {
    const ENOUGH: u64 = 4096;
    let mut end = Vec::new();
    let read = File::open(record.instance.serial_log()).and_then(|mut log| {
        log.seek(SeekFrom::Start(log.metadata()?.len().saturating_sub(ENOUGH)))?;
        log.take(ENOUGH).read_to_end(&mut end)
    });
    read.map_or_else(|_| Vec::new(), |_| end)
}

/// Whether the other side has not read all that was written.
fn is_untaken(stream: &UnixStream) -> bool {
    let mut count: libc::c_int = 0;
    // SAFETY: the request writes one `int` to where the pointer leads, and that is one.
    let asked = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    asked == 0 && count > 0
}

fn key(id: &str) -> String {
    // A child of a fork has no session of its parent's.
    format!("{id}/{}", std::process::id())
}
