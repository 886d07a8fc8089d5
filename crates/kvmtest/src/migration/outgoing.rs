//! A migration as its source sees it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::news::{News, is_of_migration};
use super::passed::Passed;
use super::{Choice, Figures, Previous, Settings};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::wait;

/// How long a cancelled migration may take to be over.
const CANCEL: Duration = Duration::from_secs(60);

/// How long an answer may take: at its end QEMU has other things to do.
pub(super) const ANSWER: Duration = Duration::from_secs(60);

/// How long QEMU may take from saying that it is through to having counted how long it took.
const ACCOUNT: Duration = Duration::from_secs(1);

/// How often it is asked meanwhile: no event tells of it.
const MOMENT: Duration = Duration::from_millis(1);

/// Where a machine's state goes.
#[derive(Debug)]
pub enum Target {
    /// Where QEMU connects to: `tcp:127.0.0.1:4444`, `unix:/a/socket`. An `exec:` is a line for
    /// the shell.
    Uri(String),
    /// A socket, a pipe or a file.
    Descriptor(OwnedFd),
}

/// Whoever reads what is sent, where the source does not notice by itself that he has ended.
pub(crate) struct Reader<'a> {
    /// A pidfd.
    pub(crate) process: BorrowedFd<'a>,
    /// Lets the source go, which may wait for him; done before anything is cancelled.
    pub(crate) let_go: &'a dyn Fn(),
}

/// A migration that was begun. Dropping it leaves it alone.
pub struct Outgoing<'a> {
    news: News<'a>,
    previous: Previous,
    passed: Option<Passed>,
    deadline: Deadline,
}

/// Begins to send the state of the machine behind `monitor`. `settings` hold until it is over; the
/// time that they give it begins now.
pub fn start<'a>(monitor: &'a QmpMonitor, to: Target, settings: &Settings) -> Result<Outgoing<'a>> {
    let previous = settings.apply(monitor)?;
    let begun = begin(monitor, to, previous.clone(), settings.timeout);
    begun.inspect_err(|_| drop(previous.restore(monitor))).context("starting a migration")
}

impl Outgoing<'_> {
    /// When the time is over that the settings give it.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// How far it is.
    pub fn figures(&self) -> Result<Figures> {
        Figures::ask(self.news.monitor(), ANSWER)
    }

    /// Waits until it is through; `on_progress` is called with each step and ten times a second
    /// meanwhile, and says how to go on.
    ///
    /// Errors: `MigrateTimeout` when the deadline is past (it was cancelled then, and the source
    /// goes on), `MigrateCancelled`, `MigrateFailed` with QEMU's words; and those of the monitor.
    /// When it was cancelled and had been completed before that, it is completed.
    pub fn wait(
        &mut self,
        deadline: Deadline,
        on_progress: impl FnMut(&Figures) -> Choice,
    ) -> Result<Figures> {
        self.wait_beside(None, deadline, on_progress)
    }

    /// The same, for as long as `reader` lives: when it ends, the migration is cancelled, which is
    /// `MigrateFailed`.
    pub(crate) fn wait_beside(
        &mut self,
        reader: Option<&Reader<'_>>,
        deadline: Deadline,
        mut on_progress: impl FnMut(&Figures) -> Choice,
    ) -> Result<Figures> {
        let _doing = doing::begin("migrating");
        let ended = self.follow(reader, deadline, &mut on_progress);
        if let Err(error) = &ended
            && error.kind() == ErrorKind::Interrupted
        {
            // It is sent; there is no waiting for the answer.
            let _ = self.news.monitor().cmd("migrate_cancel", Value::Null);
        }
        ended.context("migrating")
    }

    /// Lets the guest run at the destination from now on.
    pub fn start_postcopy(&self) -> Result<()> {
        self.news.monitor().cmd("migrate-start-postcopy", Value::Null).map(drop)
    }

    /// Ends it and waits until it is over and the source goes on. Gives back the figures where it
    /// had been completed by then: the destination has the machine.
    ///
    /// An error where the guest runs at the destination already (postcopy).
    pub fn cancel(&mut self) -> Result<Option<Figures>> {
        let doing = "cancelling a migration";
        let _doing = doing::begin(doing);
        self.cancel_by(Deadline::after(CANCEL)).context(doing)
    }

    fn follow(
        &mut self,
        reader: Option<&Reader<'_>>,
        deadline: Deadline,
        on_progress: &mut dyn FnMut(&Figures) -> Choice,
    ) -> Result<Figures> {
        loop {
            let figures = self.figures()?;
            if figures.is_over() {
                return self.end(figures);
            }
            if figures.status == "postcopy-paused" {
                let message = "the connection broke while the guest ran at the destination already";
                return Err(failed(message, &figures));
            }
            match on_progress(&figures) {
                Choice::GoOn => {}
                Choice::Postcopy if figures.postcopy || figures.status != "active" => {}
                Choice::Postcopy => self.start_postcopy()?,
                Choice::Cancel => {
                    let completed = self.cancel_by(Deadline::after(CANCEL))?;
                    return completed.ok_or_else(cancelled);
                }
            }
            if deadline.expired() {
                return self.time_out(&figures);
            }
            let process = reader.map(|reader| reader.process);
            if self.news.wait_with(process, deadline, is_of_migration)? {
                reader.inspect(|reader| (reader.let_go)());
                self.cancel_by(Deadline::after(CANCEL))?;
                let message = "whoever was to read it has ended before all of it was written";
                return Err(Error::new(ErrorKind::MigrateFailed, message));
            }
        }
    }

    fn time_out(&mut self, figures: &Figures) -> Result<Figures> {
        let message = format!("not through in time: {figures}");
        let late = Error::new(ErrorKind::MigrateTimeout, message);
        if figures.postcopy {
            return Err(late);
        }
        match self.cancel_by(Deadline::after(CANCEL)) {
            Ok(completed) => completed.ok_or(late),
            Err(error) => Err(late.caused_by(error)),
        }
    }

    fn cancel_by(&mut self, deadline: Deadline) -> Result<Option<Figures>> {
        let mut was_told = false;
        loop {
            let figures = self.figures()?;
            if figures.is_over() {
                let figures = self.accounted(figures);
                self.restore();
                return Ok((figures.status == "completed").then_some(figures));
            }
            if figures.postcopy {
                let message = "the guest runs at the destination already: there is no way back";
                return Err(Error::new(ErrorKind::MigrateFailed, message));
            }
            if deadline.expired() {
                let message = format!("cancelled, but not over within {CANCEL:?}");
                return Err(Error::new(ErrorKind::MigrateTimeout, message));
            }
            if !was_told {
                self.news.monitor().cmd("migrate_cancel", Value::Null)?;
                was_told = true;
                continue;
            }
            self.news.wait(deadline, is_of_migration)?;
        }
    }

    fn end(&self, figures: Figures) -> Result<Figures> {
        let figures = self.accounted(figures);
        self.restore();
        match &*figures.status {
            "completed" => Ok(figures),
            "cancelled" => Err(cancelled()),
            "none" => Err(failed("QEMU knows of no migration", &figures)),
            _ => Err(failed("the migration failed", &figures)),
        }
    }

    /// Older QEMUs (7.2) say that a migration is completed a moment before they work out how long
    /// it took, and say 0 in between. It is completed, whatever becomes of the question.
    fn accounted(&self, figures: Figures) -> Figures {
        let deadline = Deadline::after(ACCOUNT);
        let mut counted = figures.clone();
        while counted.lacks_times() && !deadline.expired() {
            let next = wait::readable([], deadline.at_most(MOMENT)).and_then(|[]| self.figures());
            let Ok(next) = next else { return figures };
            counted = next;
        }
        if counted.status == figures.status { counted } else { figures }
    }

    /// A QEMU that has ended, or is busy with the next one, is nothing to tell of here.
    fn restore(&self) {
        if let Some(passed) = &self.passed {
            passed.end(self.news.monitor());
        }
        if let Err(error) = self.previous.restore(self.news.monitor()) {
            tracing::debug!("the settings of a migration stay: {error}");
        }
    }
}

fn begin(
    monitor: &QmpMonitor,
    to: Target,
    previous: Previous,
    timeout: Duration,
) -> Result<Outgoing<'_>> {
    let news = News::of(monitor)?;
    let (uri, passed) = match to {
        Target::Uri(uri) => (uri, None),
        Target::Descriptor(descriptor) => {
            let knows_files = previous.knows_files();
            let passed = Passed::give(monitor, descriptor.as_fd(), OFlags::WRONLY, knows_files)?;
            (passed.uri(), Some(passed))
        }
    };
    if let Err(error) = monitor.cmd("migrate", json!({ "uri": uri })) {
        passed.inspect(|passed| passed.take_back(monitor));
        return Err(error);
    }
    Ok(Outgoing { news, previous, passed, deadline: Deadline::after(timeout) })
}

fn cancelled() -> Error {
    Error::new(ErrorKind::MigrateCancelled, "the migration was cancelled")
}

fn failed(what: &str, figures: &Figures) -> Error {
    let words = figures.error.as_deref().unwrap_or("QEMU does not say why");
    Error::new(ErrorKind::MigrateFailed, format!("{what}: {words}"))
}
