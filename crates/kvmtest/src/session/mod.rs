//! Sessions: talking to a guest through a console, `ssh`, or any process on a terminal.
//!
//! From the bottom up:
//!
//! - a channel moves bytes: a socket (QEMU's serial console) or a process on a pseudo terminal;
//! - [`Expect`] sends and reads until something matches, with a log and with [`Watch`]es that end
//!   a wait early when its cause is gone (QEMU died, the guest panicked);
//! - [`Session`] knows a shell behind it: `cmd`, `cmd_status`, `cmd_output`;
//! - [`login`] turns a bare console or host and port into a `Session` that is logged in.
//!
//! What is matched and returned is *clean* text: carriage returns and terminal escapes are taken
//! out. The log keeps every byte as it came.

pub mod login;

mod buffer;
mod channel;
mod checkpoint;
mod client;
mod command;
mod echo;
mod expect;
mod follow;
mod gate;
mod last_line;
mod log;
mod params;
mod pattern;
mod process;
mod pump;
mod running;
mod shell;
mod tcp;
mod terminal;
mod watch;

pub use buffer::{BUFFER_LIMIT, OVERLAP};
pub(crate) use checkpoint::Checkpoint;
pub use client::{Client, arguments};
pub use expect::Expect;
pub(crate) use follow::Follow;
pub(crate) use gate::{Closed, Gate};
pub use log::LOG_LIMIT;
pub use params::LoginParams;
pub use pattern::{Match, Pattern};
pub use shell::{Session, failed};
pub(crate) use terminal::Cleaner;
pub use watch::{Watch, rest};

use std::time::Duration;

use crate::deadline::Deadline;

/// How long the plain forms (`send`, `cmd`, …) wait.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

impl From<Duration> for Deadline {
    fn from(timeout: Duration) -> Self {
        Self::after(timeout)
    }
}

/// Connects to a TCP port of `host`.
pub fn connect(
    host: &str,
    port: u16,
    deadline: impl Into<Deadline>,
) -> crate::error::Result<std::net::TcpStream> {
    tcp::connect_by(host, port, &mut Vec::new(), deadline.into())
}

/// What of `bytes` is text for people: without terminal escapes and carriage returns.
pub fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    Cleaner::default().clean(bytes, &mut clean);
    clean
}

/// A time as messages say it.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{:.0} s", time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests;
