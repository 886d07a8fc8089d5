//! What ends a wait for a guest at once: QEMU's death, a panic, a machine that cannot boot.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::inotify;

use super::sign::Sign;
use super::{Record, Vm};
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::{Activity, QmpMonitor};
use crate::session::Watch;

impl Vm {
    /// What every session with the guest watches; `console` is held for as long as it does.
    pub(super) fn watches(&self, console: Option<Arc<()>>) -> Result<Vec<Box<dyn Watch>>> {
        let process = self.process()?.ok_or_else(|| self.death())?;
        let record = self.running()?;
        let monitor = self.monitor()?;
        // With the monitor, which may have been told why.
        let death = DeathWatch { process, vm: self.handle(), _console: console };
        let events = EventWatch {
            vm: self.name().to_owned(),
            activity: monitor.activity()?,
            // What happened before may be over: the guest may have been reset since.
            next: monitor.events_from(0).1,
            monitor,
        };
        // Unless it is not.
        if events.monitor.status()? == "guest-panicked" {
            return Err(events.panicked());
        }
        let mut console = ConsoleWatch::new(self.name(), &record, self.boot_offset())?;
        console.check()?;
        Ok(vec![Box::new(death), Box::new(events), Box::new(console)])
    }

    /// Where in the console's log signs of the present boot begin; nothing for a guest that is up.
    fn boot_offset(&self) -> Option<u64> {
        let state = self.state();
        state.running.as_ref().filter(|running| running.booting).map(|running| running.boot_offset)
    }

    /// A second handle of the same incarnation.
    fn handle(&self) -> Self {
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
    _console: Option<Arc<()>>,
}

impl Watch for DeathWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        Err(self.vm.death())
    }
}

/// The machine's own word that its guest panicked (pvpanic).
struct EventWatch {
    vm: String,
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
            Some(_) => Err(self.panicked()),
            None => Ok(()),
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

/// A line of a console that is longer than this is none of a kernel's.
const LINE: usize = 4096;

/// What the console prints when all is lost.
struct ConsoleWatch {
    vm: String,
    log: File,
    changes: OwnedFd,
    at: u64,
    /// The end of what was read: a line may come in pieces.
    rest: Vec<u8>,
}

impl ConsoleWatch {
    fn new(vm: &str, record: &Record, from: Option<u64>) -> Result<Self> {
        let path = record.instance.serial_log();
        let log = File::options().read(true).append(true).create(true).open(&path)?;
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let changes = inotify::init(flags)?;
        inotify::add_watch(&changes, path.as_std_path(), inotify::WatchFlags::MODIFY)?;
        let at = match from {
            Some(offset) => offset,
            None => log.metadata()?.len(),
        };
        Ok(Self { vm: vm.to_owned(), log, changes, at, rest: Vec::new() })
    }

    fn read_more(&mut self) -> Result<bool> {
        let mut piece = vec![0; 64 << 10];
        let read = self.log.read_at(&mut piece, self.at)?;
        self.at += read as u64;
        let keep = self.rest.len().saturating_sub(LINE);
        self.rest.drain(..keep);
        self.rest.extend_from_slice(&piece[..read]);
        Ok(read > 0)
    }
}

impl Watch for ConsoleWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.changes.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.changes, &mut buffer);
        while reader.next().is_ok() {}
        while self.read_more()? {
            if let Some((sign, line)) = Sign::find(&self.rest) {
                return Err(sign.error(&self.vm, &line));
            }
        }
        Ok(())
    }
}
