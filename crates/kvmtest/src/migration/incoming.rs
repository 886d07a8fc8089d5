//! A migration as its destination sees it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::news::{News, is_of_migration};
use super::outgoing::ANSWER;
use super::passed::Passed;
use super::{Figures, Previous, Settings};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::{Event, QmpMonitor};
use crate::wait;

/// How long after its monitor a process may end.
const END: Duration = Duration::from_secs(2);

/// Where a machine's state comes from.
#[derive(Debug)]
pub enum Source {
    /// Where QEMU listens: `tcp:127.0.0.1:0` (on any port, see [`Incoming::address`]),
    /// `unix:/a/socket`. An `exec:` is a line for the shell.
    Uri(String),
    /// A socket, a pipe or a file.
    Descriptor(OwnedFd),
}

/// A machine that waits for its state, is getting it, or has it. QEMU is set as before when this is
/// dropped: that need not happen before the machine goes on.
pub struct Incoming<'a> {
    news: News<'a>,
    previous: Previous,
    passed: Option<Passed>,
}

/// Has the QEMU behind `monitor`, which was started with `-incoming defer`, take its state from
/// `from`. `settings` must have the same capabilities as those of the source.
pub fn listen<'a>(
    monitor: &'a QmpMonitor,
    from: Source,
    settings: &Settings,
) -> Result<Incoming<'a>> {
    let previous = settings.apply(monitor)?;
    let begun = begin(monitor, from, previous.clone());
    begun.inspect_err(|_| drop(previous.restore(monitor))).context("waiting for a migration")
}

impl Incoming<'_> {
    /// What the source has to be told to get here, where QEMU listens on TCP:
    /// `tcp:127.0.0.1:43210`.
    pub fn address(&self) -> Result<Option<String>> {
        let answer = self.news.monitor().cmd("query-migrate", Value::Null)?;
        let addresses = answer["socket-address"].as_array().into_iter().flatten();
        Ok(addresses.filter(|address| address["type"] == "inet").find_map(uri))
    }

    /// Waits until the machine is here: then it runs, unless QEMU was started with `-S` or the
    /// source was paused. `process` is a pidfd of this QEMU.
    ///
    /// Errors: `MigrateTimeout`, and `MigrateFailed` when it failed or QEMU ended, whose words are
    /// in its log then.
    pub fn wait(&mut self, deadline: Deadline, process: BorrowedFd<'_>) -> Result<Figures> {
        self.wait_unless(deadline, process, || false)
    }

    /// The same, as long as `is_hopeless` does not say that nothing will come: not every QEMU
    /// notices.
    pub(super) fn wait_unless(
        &mut self,
        deadline: Deadline,
        process: BorrowedFd<'_>,
        is_hopeless: impl Fn() -> bool,
    ) -> Result<Figures> {
        let doing = "taking in a migrated machine";
        let _doing = doing::begin(doing);
        let ended = self.follow(deadline, process, &is_hopeless);
        ended.map_err(|error| judge(error, process)).context(doing)
    }

    fn follow(
        &mut self,
        deadline: Deadline,
        process: BorrowedFd<'_>,
        is_hopeless: &dyn Fn() -> bool,
    ) -> Result<Figures> {
        loop {
            if is_hopeless() {
                let message = "the machine did not arrive: what it was to be read from has ended";
                return Err(Error::new(ErrorKind::MigrateFailed, message));
            }
            // It does not answer while it reads a file.
            let patience = deadline.remaining().max(ANSWER);
            let figures = Figures::ask(self.news.monitor(), patience)?;
            match &*figures.status {
                "completed" => return Ok(figures),
                "failed" | "cancelled" => {
                    let words = figures.error.as_deref().unwrap_or("QEMU does not say why");
                    let message = format!("the machine did not arrive: {words}");
                    return Err(Error::new(ErrorKind::MigrateFailed, message));
                }
                _ => {}
            }
            if deadline.expired() {
                let message = format!("the machine did not arrive in time: {}", figures.status);
                return Err(Error::new(ErrorKind::MigrateTimeout, message));
            }
            if self.news.wait_with(Some(process), deadline, is_news)? {
                return Err(Error::new(ErrorKind::VmDead, "QEMU ended"));
            }
        }
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        if let Some(passed) = &self.passed {
            passed.end(self.news.monitor());
        }
        // A QEMU that has ended is nothing to tell of here.
        if let Err(error) = self.previous.restore(self.news.monitor()) {
            tracing::debug!("the settings of a migration stay: {error}");
        }
    }
}

fn begin(monitor: &QmpMonitor, from: Source, previous: Previous) -> Result<Incoming<'_>> {
    let news = News::of(monitor)?;
    let (uri, passed) = match from {
        Source::Uri(uri) => (uri, None),
        Source::Descriptor(descriptor) => {
            let knows_files = previous.knows_files();
            let passed = Passed::give(monitor, descriptor.as_fd(), OFlags::RDONLY, knows_files)?;
            (passed.uri(), Some(passed))
        }
    };
    if let Err(error) = monitor.cmd("migrate-incoming", json!({ "uri": uri })) {
        passed.inspect(|passed| passed.take_back(monitor));
        return Err(error);
    }
    Ok(Incoming { news, previous, passed })
}

fn is_news(event: &Event) -> bool {
    is_of_migration(event) || matches!(&*event.name, "RESUME" | "STOP")
}

/// A QEMU that cannot take in what comes ends, and its monitor a moment before that.
fn judge(error: Error, process: BorrowedFd<'_>) -> Error {
    let ended = match error.kind() {
        ErrorKind::VmDead => true,
        ErrorKind::Monitor => {
            wait::readable([process.as_fd()], Deadline::after(END)).is_ok_and(|[ended]| ended)
        }
        _ => false,
    };
    if ended {
        let message = "the machine did not arrive: its QEMU ended meanwhile";
        return Error::new(ErrorKind::MigrateFailed, message);
    }
    error
}

fn uri(address: &Value) -> Option<String> {
    let (host, port) = (address["host"].as_str()?, address["port"].as_str()?);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Some(format!("tcp:{host}:{port}"))
}
