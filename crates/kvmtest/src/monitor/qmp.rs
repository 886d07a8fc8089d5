//! The QEMU machine protocol.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::connection::Connection;
use super::event::Event;
use super::transcript::Transcript;
use crate::bell::Listener;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};

/// How long a command may take where nothing else is said: what the historical system gave it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to a QMP socket. Commands of several threads may be under way at once.
pub struct QmpMonitor {
    name: String,
    connection: Connection,
    greeting: Value,
    next_id: AtomicU64,
    /// Held while a descriptor is on its way: QEMU keeps the last one only.
    passing: Mutex<()>,
}

impl QmpMonitor {
    /// Waits for the greeting on `stream` and negotiates. A second client of one QMP socket
    /// connects and is then never greeted: that is an error once `deadline` has passed.
    ///
    /// Every line in both directions is appended to `log`.
    pub fn connect(
        name: &str,
        stream: UnixStream,
        log: Option<&Utf8Path>,
        deadline: Deadline,
    ) -> Result<Self> {
        let connection = Connection::new(stream, Transcript::open(log)?)?;
        let doing = || format!("connecting to the monitor `{name}`");
        let greeting = connection
            .wait_for(deadline, |inbox| inbox.greeting.clone())
            .with_context(doing)?
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::MonitorTimeout,
                    format!("the monitor `{name}` did not greet: is another client connected?"),
                )
            })?;
        let monitor = Self {
            name: name.to_owned(),
            connection,
            greeting,
            next_id: AtomicU64::new(1),
            passing: Mutex::new(()),
        };
        monitor.execute("qmp_capabilities", json!({}), None, deadline).with_context(doing)?;
        Ok(monitor)
    }

    /// The monitor's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What QEMU said first: its version and its capabilities.
    pub fn greeting(&self) -> &Value {
        &self.greeting
    }

    /// Executes `command` with `arguments` (a JSON object, or `null` for none) and gives back
    /// what it returns. It may take 20 s.
    pub fn cmd(&self, command: &str, arguments: Value) -> Result<Value> {
        self.cmd_timeout(command, arguments, COMMAND_TIMEOUT)
    }

    /// As [`cmd`](Self::cmd), with a timeout of one's own.
    pub fn cmd_timeout(&self, command: &str, arguments: Value, timeout: Duration) -> Result<Value> {
        let doing = || format!("executing `{command}` on the monitor `{}`", self.name);
        let _doing = doing::begin(doing());
        self.execute(command, arguments, None, Deadline::after(timeout)).with_context(doing)
    }

    /// Gives QEMU a copy of `descriptor`, which it calls `name` from then on: `getfd`. One of the
    /// same name that it had is closed. What uses it takes it: `migrate` with `fd:NAME`.
    pub fn pass_fd(&self, name: &str, descriptor: BorrowedFd<'_>) -> Result<()> {
        let doing = || format!("passing the descriptor `{name}` to the monitor `{}`", self.name);
        let _doing = doing::begin(doing());
        let _passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        let (arguments, deadline) = (json!({"fdname": name}), Deadline::after(COMMAND_TIMEOUT));
        self.execute("getfd", arguments, Some(descriptor), deadline).with_context(doing)?;
        Ok(())
    }

    /// Has QEMU close the descriptor that it was given as `name` and that nothing has used.
    pub fn close_fd(&self, name: &str) -> Result<()> {
        self.cmd("closefd", json!({"fdname": name})).map(drop)
    }

    /// Gives QEMU a copy of `descriptor` under a number, by which it is found as
    /// `/dev/fdset/NUMBER` wherever QEMU opens a file: `add-fd`.
    pub fn add_fd(&self, descriptor: BorrowedFd<'_>) -> Result<u64> {
        let doing = || format!("passing a descriptor to the monitor `{}`", self.name);
        let _doing = doing::begin(doing());
        let _passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = Deadline::after(COMMAND_TIMEOUT);
        let answer =
            self.execute("add-fd", json!({}), Some(descriptor), deadline).with_context(doing)?;
        answer["fdset-id"].as_u64().ok_or_else(|| {
            let message = format!("`add-fd` was answered by no number: `{answer}`");
            Error::new(ErrorKind::Monitor, message).context(doing())
        })
    }

    /// Has QEMU close the descriptor `number` that it was given by [`add_fd`](Self::add_fd), once
    /// it does not use it any more.
    pub fn remove_fd(&self, number: u64) -> Result<()> {
        self.cmd("remove-fd", json!({"fdset-id": number})).map(drop)
    }

    /// Sends `line` as it is and gives back the whole answer, errors included; for tests of the
    /// protocol itself. The answer must not carry an `id` that is a string.
    pub fn cmd_raw(&self, line: &str) -> Result<Value> {
        self.connection.inbox().anonymous.clear();
        self.connection.send(line.as_bytes(), None)?;
        self.connection
            .wait_for(Deadline::after(COMMAND_TIMEOUT), |inbox| inbox.anonymous.pop_front())?
            .ok_or_else(|| self.no_answer(line, COMMAND_TIMEOUT))
    }

    /// Executes a command of the human monitor and gives back what it printed.
    pub fn human(&self, command_line: &str) -> Result<String> {
        let answer = self.cmd("human-monitor-command", json!({ "command-line": command_line }))?;
        Ok(answer.as_str().unwrap_or_default().replace("\r\n", "\n"))
    }

    /// `running`, `paused`, `shutdown`, `guest-panicked`, …
    pub fn status(&self) -> Result<String> {
        let answer = self.cmd("query-status", Value::Null)?;
        Ok(answer.get("status").and_then(Value::as_str).unwrap_or("unknown").to_owned())
    }

    /// Whether QEMU answers within `timeout`.
    pub fn is_responsive(&self, timeout: Duration) -> bool {
        self.cmd_timeout("query-status", Value::Null, timeout).is_ok()
    }

    /// The events that nobody has taken yet, oldest first. They stay.
    pub fn events(&self) -> Vec<Event> {
        self.connection.inbox().events.iter().cloned().collect()
    }

    /// The oldest event called `name` that nobody has taken yet. It stays.
    pub fn event(&self, name: &str) -> Option<Event> {
        self.connection.inbox().events.iter().find(|event| event.name == name).cloned()
    }

    /// Forgets all events so far.
    pub fn clear_events(&self) {
        self.connection.inbox().events.clear();
    }

    /// Takes the oldest event called `name`, waiting for it if there is none.
    pub fn wait_event(&self, name: &str, timeout: Duration) -> Result<Event> {
        self.wait_any_event(&[name], timeout)
    }

    /// Takes the oldest event with one of `names`, waiting for it if there is none.
    pub fn wait_any_event(&self, names: &[&str], timeout: Duration) -> Result<Event> {
        let _doing = doing::begin(format!("waiting for {} of QEMU", names.join(" or ")));
        self.connection
            .wait_for(Deadline::after(timeout), |inbox| {
                let wanted = |event: &Event| names.contains(&event.name.as_str());
                let at = inbox.events.iter().position(wanted)?;
                inbox.events.remove(at)
            })
            .with_context(|| format!("waiting for {} of QEMU", names.join(" or ")))?
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::MonitorTimeout,
                    format!("no event {} within {timeout:?}", names.join(" or ")),
                )
            })
    }

    /// The events from number `from` on that nobody has taken yet, and the number of the next.
    pub fn events_from(&self, from: u64) -> (Vec<Event>, u64) {
        let inbox = self.connection.inbox();
        let events = inbox.events.iter().filter(|event| event.number >= from).cloned().collect();
        (events, inbox.event_count)
    }

    /// Waits until QEMU has closed the monitor, so that all that it had said has been read.
    pub fn drain(&self, deadline: Deadline) {
        let _ = self.connection.wait_for(deadline, |_| None::<()>);
    }

    /// Something that can be polled: readable after the next message of QEMU.
    pub fn activity(&self) -> Result<Activity> {
        Ok(Activity { listener: self.connection.listen()? })
    }

    fn execute(
        &self,
        command: &str,
        arguments: Value,
        descriptor: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<Value> {
        let timeout = deadline.remaining();
        let id = format!("{}-{}", self.name, self.next_id.fetch_add(1, Ordering::Relaxed));
        let mut message = json!({ "execute": command, "id": id });
        if !arguments.is_null() {
            message["arguments"] = arguments;
        }
        self.connection.send(message.to_string().as_bytes(), descriptor)?;
        let answer = self
            .connection
            .wait_for(deadline, |inbox| inbox.answers.remove(&id).or_else(|| inbox.refusal()))?
            .ok_or_else(|| self.no_answer(command, timeout))?;
        match answer.get("error") {
            None => Ok(answer.get("return").cloned().unwrap_or_default()),
            Some(error) => Err(refused(command, error)),
        }
    }

    fn no_answer(&self, command: &str, timeout: Duration) -> Error {
        Error::new(
            ErrorKind::MonitorTimeout,
            format!("the monitor `{}` did not answer `{command}` within {timeout:?}", self.name),
        )
    }
}

impl super::connection::Inbox {
    /// An error without an `id` answers what QEMU could not even parse, which was ours.
    fn refusal(&mut self) -> Option<Value> {
        let at = self.anonymous.iter().position(|answer| answer.get("error").is_some())?;
        self.anonymous.remove(at)
    }
}

fn refused(command: &str, error: &Value) -> Error {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    Error::new(
        ErrorKind::MonitorCommand,
        format!("QEMU refused `{command}`: {} ({})", text("desc"), text("class")),
    )
}

/// Readable after a monitor has received something.
pub struct Activity {
    listener: Listener,
}

impl Activity {
    /// Forgets the messages so far; to be called before looking at what they brought.
    pub fn quiet(&self) {
        self.listener.quiet();
    }
}

impl AsFd for Activity {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

#[cfg(test)]
mod tests;
