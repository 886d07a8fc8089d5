//! What ends a wait for a guest at once: QEMU's death, a panic, a machine that cannot boot.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::console::Line;
use super::{Record, Vm};
use crate::changes::{Changes, WatchFlags};
use crate::error::{Error, ErrorKind, Result};
use crate::guest::sign::{Action, Entry, Scanner, Sign, Signs, action, readable};
use crate::monitor::{Activity, QmpMonitor};
use crate::session::Watch;

impl Vm {
    /// What every session with the guest watches; `console` is held for as long as it does.
    pub(super) fn watches(&self, console: Option<Arc<Line>>) -> Result<Vec<Box<dyn Watch>>> {
        let process = self.process()?.ok_or_else(|| self.death())?;
        let record = self.running()?;
        let monitor = self.monitor()?;
        // With the monitor, which may have been told why.
        let death = DeathWatch { process, vm: self.handle(), _console: console };
        let params = self.params();
        let panic = Sign::named("panic").map_or(Action::Fail, |sign| sign.action);
        let events = EventWatch {
            vm: self.name().to_owned(),
            ends: action(&params, "panic", panic)? == Action::Fail,
            activity: monitor.activity()?,
            // What happened before may be over: the guest may have been reset since.
            next: monitor.events_from(0).1,
            monitor,
        };
        // Unless it is not.
        if events.ends && events.monitor.status()? == "guest-panicked" {
            return Err(events.panicked());
        }
        let signs = Signs::of(&params)?;
        let mut console = ConsoleWatch::new(self.name(), &record, self.boot_offset(), signs)?;
        console.check()?;
        Ok(vec![Box::new(death), Box::new(events), Box::new(console)])
    }

    /// An error if the console has shown, since its log had `from` bytes, that the guest is lost.
    pub(super) fn verify_console_from(&self, from: u64) -> Result<()> {
        let signs = Signs::of(&self.params())?;
        ConsoleWatch::new(self.name(), &self.running()?, Some(from), signs)?.check()
    }

    /// Where in the console's log signs of the present boot begin; nothing for a guest that is up.
    fn boot_offset(&self) -> Option<u64> {
        let state = self.state();
        state.running.as_ref().filter(|running| running.booting).map(|running| running.boot_offset)
    }

    /// A second handle of the same incarnation.
    pub(super) fn handle(&self) -> Self {
        let other = Self::define(&self.home, &self.name, self.params());
        let state = self.state();
        if let Some(running) = &state.running {
            other.state().running = Some(super::Running {
                record: running.record.clone(),
                monitors: running.monitors.clone(),
                booting: running.booting,
                boot_offset: running.boot_offset,
            });
        }
        other
    }
}

struct DeathWatch {
    process: OwnedFd,
    vm: Vm,
    _console: Option<Arc<Line>>,
}

impl Watch for DeathWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        if self.vm.process()?.is_some() {
            let message = format!(
                "the VM `{}` goes on in another QEMU, and this connection does not",
                self.vm.name()
            );
            return Err(Error::new(ErrorKind::ExpectTerminated, message));
        }
        Err(self.vm.death())
    }

    fn sent(&mut self, bytes: &[u8]) {
        self.vm.expect_typed(bytes);
    }
}

/// The machine's own word that its guest panicked (pvpanic).
struct EventWatch {
    vm: String,
    /// Whether a panic ends a wait.
    ends: bool,
    monitor: Arc<QmpMonitor>,
    activity: Activity,
    next: u64,
}

impl Watch for EventWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.activity.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        self.activity.quiet();
        let (events, next) = self.monitor.events_from(self.next);
        self.next = next;
        match events.iter().find(|event| event.name == "GUEST_PANICKED") {
            Some(_) if self.ends => Err(self.panicked()),
            _ => Ok(()),
        }
    }
}

impl EventWatch {
    fn panicked(&self) -> Error {
        Error::new(
            ErrorKind::GuestPanicked,
            format!("the guest of the VM `{}` panicked (it said so to the machine)", self.vm),
        )
    }
}

/// What the console prints when there is nothing left to wait for.
struct ConsoleWatch {
    vm: String,
    log: File,
    changes: Changes,
    at: u64,
    scanner: Scanner,
}

impl ConsoleWatch {
    fn new(vm: &str, record: &Record, from: Option<u64>, signs: Arc<Signs>) -> Result<Self> {
        let path = record.instance.serial_log();
        let log = File::options().read(true).append(true).create(true).open(&path)?;
        let changes = Changes::of(&path, WatchFlags::MODIFY)?;
        let at = match from {
            Some(offset) => offset,
            None => log.metadata()?.len(),
        };
        Ok(Self { vm: vm.to_owned(), log, changes, at, scanner: Scanner::new(signs) })
    }

    fn error(&self, entry: &Entry, line: &str) -> Error {
        let message = entry.message(&self.vm, line);
        Error::new(entry.kind, message)
    }
}

impl Watch for ConsoleWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        self.changes.quiet();
        let mut piece = vec![0; 64 << 10];
        let mut found: Option<(Entry, String)> = None;
        loop {
            let read = self.log.read_at(&mut piece, self.at)?;
            if read == 0 {
                return Ok(());
            }
            self.at += read as u64;
            self.scanner.feed(&piece[..read], |line, entry| {
                let entry = entry.filter(|entry| entry.action == Action::Fail);
                if let (None, Some(entry)) = (&found, entry) {
                    found = Some((entry.clone(), readable(line)));
                }
            });
            if let Some((entry, line)) = &found {
                return Err(self.error(entry, line));
            }
        }
    }
}
