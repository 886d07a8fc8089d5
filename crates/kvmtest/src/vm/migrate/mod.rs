//! Migration: a machine goes on in another QEMU, and its handle denotes that one from then on.

mod devices;
mod endpoint;
mod options;
mod route;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

pub use options::{MigrateOptions, Protocol};

use super::Vm;
use super::command::MemoryFile;
use super::console::Line;
use super::incarnation::Incarnation;
use super::instance::QEMU_LOG;
use super::shared::UNLIMITED;
use super::suspend::SENT;
use super::transition::{Otherwise, Transition};
use super::{Record, Running};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::lease::Lease;
use crate::migration::{self, Blocker, Choice, Figures, Reader};
use crate::params::Params;
use devices::Devices;
use endpoint::endpoint;
use route::Route;

impl Vm {
    /// Moves the machine to another QEMU on this host, which this VM denotes from then on; while
    /// the guest runs, unless [`MigrateOptions::offline`] says otherwise.
    ///
    /// Sessions on its serial console go on as if nothing had happened: what other threads type
    /// while the guest is stopped waits until it goes on. What is typed in the last moment of a
    /// guest that moves while it runs may be lost. Sessions over the network log in anew when the
    /// next thing is sent. What the guest writes to is the same as before.
    /// When it fails or is cancelled, the machine goes on where it was, and the error is of the
    /// kind `MigrateFailed`, `MigrateCancelled` or `MigrateTimeout`, with QEMU's own words. A
    /// machine that cannot be moved is not touched: `MigrateBlocked`.
    pub fn migrate(&self, options: &MigrateOptions) -> Result<Figures> {
        self.migrate_with(options, |_| Choice::GoOn)
    }

    /// [`migrate`](Self::migrate), with a look at how it gets on: `on_progress` is called with
    /// each change, and several times a second, and says whether it is to be cancelled.
    pub fn migrate_with(
        &self,
        options: &MigrateOptions,
        on_progress: impl FnMut(&Figures) -> Choice,
    ) -> Result<Figures> {
        let doing = || format!("migrating the VM `{}`", self.name());
        let _doing = doing::begin(doing());
        let incarnation = |source: &Record| Incarnation::after(source);
        let moved = self.move_by(options, incarnation, on_progress);
        Ok(moved.map_err(migration::refused).with_context(doing)?.figures)
    }

    /// Moves the machine to a QEMU whose memory is a file that others can map; says for how long
    /// the guest was stopped for that.
    pub(super) fn migrate_to_shared_memory(&self) -> Result<Duration> {
        let mut options = MigrateOptions::by(Protocol::Fd);
        options.settings.bandwidth = Some(UNLIMITED);
        let incarnation = |source: &Record| {
            let incarnation = Incarnation::after(source)?;
            let path = incarnation.instance.memory();
            Ok(Incarnation { memory: Some(MemoryFile { path, share: true }), ..incarnation })
        };
        self.move_by(&options, incarnation, |_| Choice::GoOn)
            .map(|moved| moved.stopped)
            .context("moving the memory to where it can be shared")
    }

    fn move_by(
        &self,
        options: &MigrateOptions,
        incarnation: impl FnOnce(&Record) -> Result<Incarnation>,
        on_progress: impl FnMut(&Figures) -> Choice,
    ) -> Result<Moved> {
        options.verify()?;
        self.verify_alive()?;
        let source = self.running()?;
        self.prepare_to_move()?;
        let monitor = self.monitor()?;
        let before = Devices::of(&monitor)?;
        let ran = monitor.status()? == "running";
        let console = self.console_length()?;
        let endpoint = endpoint(&options.dest_host)?;
        let mut incarnation = incarnation(&source)?;
        // Otherwise it runs only when it is known: who finds the machine after us has one way.
        let runs_there = options.settings.has_capability("postcopy-ram");
        incarnation.stands = !runs_there;
        let params = options.destination.as_ref();
        let destination = endpoint.start(self, params, &incarnation)?;
        let there = destination.monitor().and_then(|monitor| Devices::of(&monitor));
        if let Err(error) = there.and_then(|there| before.verify_destination(&there)) {
            let error = destination.explain(error);
            destination.discard();
            return Err(error);
        }
        let stops = ran && options.offline.unwrap_or(source.accel == "tcg");
        let others = vec![incarnation.instance.clone()];
        let transition = Transition::begin("migrating it", Otherwise::of(ran), others)
            .map(|transition| Transition { runs_there, ..transition });
        let underway = transition
            .and_then(|transition| self.begin_transition(transition))
            .inspect_err(|_| destination.discard())?;
        let line = Line::of(&source).filter(|_| stops);
        let held = line.map(|line| line.hold()).transpose();
        let held = held.inspect_err(|_| destination.discard())?;
        let begun = Instant::now();
        if stops {
            self.pause()?;
        }
        let figures = match self.transfer(&source, &destination, options, on_progress) {
            Ok(figures) => figures,
            Err(error) => {
                let error = destination.explain(self.judge(error));
                destination.discard();
                if let Err(worse) = self.go_on(ran) {
                    tracing::warn!("the VM `{}` does not go on: {worse}", self.name());
                }
                return Err(error);
            }
        };
        let old = self.switch_to(&source, &destination)?;
        if stops || ran && self.is_paused()? {
            self.resume()?;
        }
        let stopped = if stops { begun.elapsed() } else { Duration::ZERO };
        old.retire()?;
        drop(held);
        drop(underway);
        self.verify_alive()?;
        let now = self.monitor()?;
        before.verify(&Devices::of(&now)?)?;
        self.verify_console_from(console)?;
        Ok(Moved { figures, stopped })
    }

    /// Refuses what QEMU could not move or save, with its reasons. Of a machine that runs it knows
    /// more than can be told from a command line: whether a share is mounted, who owns what is
    /// shared. A guest that sleeps does not wake where it was brought to by QEMU 7.2.
    ///
    /// One that was saved while it was paused runs for a moment, and can be sent again.
    pub(super) fn prepare_to_move(&self) -> Result<()> {
        if self.is_suspended()? {
            let message = "the guest sleeps, and would not wake elsewhere: wake it first";
            return Err(Error::new(ErrorKind::MigrateFailed, message));
        }
        let monitor = self.monitor()?;
        verify_unblocked(&migration::blockers(&monitor)?)?;
        if monitor.status()? == SENT {
            // QEMU sends nothing more of what it has sent, and knows no other way out of it.
            self.resume()?;
            self.pause()?;
        }
        Ok(())
    }

    /// A QEMU that waits for the machine's state, on the same disks, known to nobody; it goes
    /// with this process until the machine has moved.
    pub(super) fn destination(
        &self,
        params: Option<&Params>,
        incarnation: &Incarnation,
    ) -> Result<Self> {
        let source = self.running()?;
        let params = params.cloned().unwrap_or_else(|| source.params.clone());
        let destination = Self::define(&self.home, self.name(), params);
        let started = (|| -> Result<()> {
            // What a QEMU says at its end is to be its own.
            link_files(&source, incarnation, |name| name != QEMU_LOG)?;
            let plan = destination.plan()?;
            destination.launch(&plan, incarnation, ProcessId::own()?)?;
            destination.greet()
        })();
        match started {
            Ok(()) => Ok(destination),
            Err(error) => {
                destination.discard();
                incarnation.instance.remove();
                Err(error.context("starting the destination"))
            }
        }
    }

    fn transfer(
        &self,
        source: &Record,
        destination: &Self,
        options: &MigrateOptions,
        mut on_progress: impl FnMut(&Figures) -> Choice,
    ) -> Result<Figures> {
        let settings = &options.settings;
        let deadline = Deadline::after(settings.timeout);
        let there = destination.running()?;
        let process = there.process.open()?.ok_or_else(|| destination.death())?;
        let (from, to) = (self.monitor()?, destination.monitor()?);
        let mut route = Route::between(options.protocol, source, &there)?;
        let line = Line::of(source);
        if let Some(line) = &line {
            line.expect(&there)?;
        }
        let begun = Instant::now();
        let moved = (|| -> Result<Figures> {
            let mut incoming = None;
            let mut address = None;
            if !route.is_file() {
                let listening = migration::listen(&to, route.source(), settings)?;
                address = listening.address()?;
                incoming = Some(listening);
            }
            let mut outgoing = migration::start(&from, route.target(address), settings)
                .map_err(|error| route.judge(error))?;
            let reader = Reader { process: process.as_fd(), let_go: &|| route.let_go() };
            let reader = (!route.is_connected()).then_some(&reader);
            let figures = outgoing.wait_beside(reader, deadline, |figures| {
                let is_time = options.cancel_after.is_some_and(|after| begun.elapsed() >= after);
                if is_time { Choice::Cancel } else { on_progress(figures) }
            })?;
            let mut incoming = match incoming {
                Some(incoming) => incoming,
                None => migration::listen(&to, route.source(), settings)?,
            };
            incoming.wait(deadline, process.as_fd())?;
            Ok(figures)
        })();
        if let (Err(_), Some(line)) = (&moved, &line) {
            line.stay();
        }
        moved
    }

    /// From here on this VM is `destination`; gives back what it was. At any moment the env file
    /// knows one of the two, which is whole, and its transition names the other one.
    pub(super) fn switch_to(&self, source: &Record, destination: &Self) -> Result<Self> {
        let mut record = destination.running()?;
        record.console_offset = source.console_offset;
        record.created = source.created;
        record.state.clone_from(&source.state);
        record.up = !self.is_booting();
        record.stain(source);
        let held = self.lease()?;
        let own = ProcessId::own()?;
        Lease { instance: record.instance.clone(), ..held.clone() }.write()?;
        self.home.file.update(|content| {
            if let Some(mut transition) = content.transitions.remove(&source.instance.id) {
                transition.go_over(&source.instance, &record.instance);
                content.transitions.insert(record.instance.id.clone(), transition);
            }
            if let Some(known) = content.vms.get(&record.name) {
                record.stain(known);
            }
            content.vms.insert(record.name.clone(), record.clone());
        })?;
        // It goes with this process now, as the destination did.
        Lease { holder: Some(own), until: None, ..held }.write()?;
        let old = Self::past(&self.home, source.clone());
        {
            let mut mine = self.state();
            let mut theirs = destination.state();
            let mut old = old.state();
            if let (Some(running), Some(next)) = (mine.running.take(), theirs.running.take()) {
                let (booting, boot_offset) = (running.booting, running.boot_offset);
                mine.running = Some(Running { record, booting, boot_offset, ..next });
                // Another thread with this handle may have found out before us.
                if running.record.instance == source.instance {
                    old.running = Some(running);
                }
            }
        }
        if let Some(line) = Line::of(source) {
            line.move_on();
        }
        Ok(old)
    }

    /// Ends what a machine was before it moved.
    pub(super) fn retire(&self) -> Result<()> {
        self.end_process()?;
        self.discard();
        Ok(())
    }

    /// Lets the machine run again after a migration that came to nothing.
    pub(super) fn go_on(&self, ran: bool) -> Result<()> {
        if ran && self.monitor()?.status()? != "running" {
            self.resume()?;
        }
        Ok(())
    }

    /// The error of a machine that was being moved or saved: its death, if that is what it was.
    pub(super) fn judge(&self, error: Error) -> Error {
        // A monitor ends a moment before its process.
        let is_dead = error.kind() == ErrorKind::Monitor && matches!(self.ends_soon(), Ok(true));
        if is_dead { self.death().caused_by(error) } else { error }
    }

    /// `error` of the source, with what this QEMU, the destination, said at its end, if it has
    /// ended: unless that was to be expected.
    pub(super) fn explain(&self, error: Error) -> Error {
        let is_of_source = matches!(
            error.kind(),
            ErrorKind::MigrateCancelled
                | ErrorKind::MigrateTimeout
                | ErrorKind::VmDead
                | ErrorKind::Interrupted
        );
        if is_of_source || !matches!(self.ends_soon(), Ok(true)) {
            return error;
        }
        let ending = self.ending().map(|ending| ending.to_string()).unwrap_or_default();
        let message = format!("{}; the destination: {ending}", error.message());
        error.reworded(ErrorKind::MigrateFailed, message)
    }
}

/// What came of a migration.
struct Moved {
    figures: Figures,
    /// For how long the guest was stopped by us.
    stopped: Duration,
}

/// An error that says what stands in the way, if anything does.
pub(super) fn verify_unblocked(blockers: &[Blocker]) -> Result<()> {
    if blockers.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = blockers.iter().map(ToString::to_string).collect();
    let message = format!("the machine cannot be moved or saved: {}", reasons.join("; "));
    Err(Error::new(ErrorKind::MigrateBlocked, message))
}

/// Gives `incarnation` the files of the machine of `record` that `wanted` names, those of its
/// memory apart: what one of the two writes to them, the other sees.
pub(super) fn link_files(
    record: &Record,
    incarnation: &Incarnation,
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    let to = &incarnation.instance;
    let scratch = &record.instance.scratch;
    for entry in scratch.read_dir_utf8().with_context(|| format!("reading {scratch}"))? {
        let entry = entry?;
        let is_memory = entry.path() == record.instance.memory();
        if is_memory || !entry.file_type()?.is_file() || !wanted(entry.file_name()) {
            continue;
        }
        let link = to.scratch.join(entry.file_name());
        if link.exists() {
            // What tells whose directory it is.
            continue;
        }
        std::fs::hard_link(entry.path(), &link).with_context(|| format!("making {link}"))?;
    }
    super::expected::carry(&record.instance, to);
    Ok(())
}
