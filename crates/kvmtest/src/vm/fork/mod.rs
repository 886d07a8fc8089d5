//! A running machine becomes several: all go on from the same moment, and share what none of them
//! writes to.

mod disks;

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use rustix::fs::{MemfdFlags, Mode, OFlags};

use super::command::{MemoryFile, has_plain_memory};
use super::console::Line;
use super::incarnation::Incarnation;
use super::instance::QEMU_LOG;
use super::migrate::link_files;
use super::transition::{Otherwise, Transition, Underway};
use super::{Record, Vm, shared};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::lease::Lease;
use crate::migration::{self, Choice, Source, Target};
use crate::params::name;

/// How long saving and loading may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a fork cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forked {
    /// For how long no machine ran.
    pub pause: Duration,
    /// Whether the machines share the memory that none of them has written to since. Otherwise
    /// each was given a copy, because the parameters want a memory of another kind.
    pub shares: bool,
    /// Whether the memory had first to be moved to where it can be shared.
    pub moved: bool,
}

impl Vm {
    /// Makes a second machine, `name`, of this one, which runs: both go on from the same moment,
    /// and neither sees anything of the other afterwards.
    ///
    /// This VM is replaced by another QEMU as by a [migration](Self::migrate), with its sessions;
    /// the twin has none yet. Where the memory cannot be shared it is copied, which is slower,
    /// and [`Forked::shares`] says so. A failure leaves this machine running, and no twin.
    pub fn fork(&self, name: &str) -> Result<Self> {
        let (mut twins, _) = self.fork_all(&[name])?;
        twins.pop().ok_or_else(|| Error::new(ErrorKind::VmMissing, "a fork without a twin"))
    }

    /// Makes several machines of this one at once: they cost one pause, and share one memory. Of
    /// no names nothing is made, and the machine is not touched.
    pub fn fork_all(&self, names: &[&str]) -> Result<(Vec<Self>, Forked)> {
        let doing = || format!("forking the VM `{}`", self.name());
        let _doing = doing::begin(doing());
        self.fork_into(names).map_err(migration::refused).with_context(doing)
    }

    fn fork_into(&self, names: &[&str]) -> Result<(Vec<Self>, Forked)> {
        if names.is_empty() {
            let forked = Forked { pause: Duration::ZERO, shares: true, moved: false };
            return Ok((Vec::new(), forked));
        }
        self.verify_names(names)?;
        self.verify_alive()?;
        self.prepare_to_move()?;
        disks::verify(&self.running()?)?;
        let moved = self.share_memory()?;
        let record = self.running()?;
        let shares = record.memory.as_ref().is_some_and(|memory| memory.share);
        if !shares {
            tracing::info!("the VM `{}` is forked by copying its memory", self.name());
        }
        // All that can be done while the guest runs is done before it is paused.
        let mut children = Children::default();
        for name in std::iter::once(self.name()).chain(names.iter().copied()) {
            children.all.push(self.child(name, &record)?);
        }
        let _underway = self.begin_going_over("forking it", &children)?;
        let gone = self.go_over(&record, children.first()?, shares)?;
        let pause = gone.pause + moved.unwrap_or_default();
        children.all.remove(0);
        for twin in &children.all {
            twin.read(&gone.saved, shares)?;
            self.let_live(twin, &record, gone.ran)?;
        }
        let twins = std::mem::take(&mut children.all);
        Ok((twins, Forked { pause, shares, moved: moved.is_some() }))
    }

    /// Saves the machine, ends it, and has it go on from what was saved, with its sessions: as if
    /// nothing had been, to all but QEMU.
    pub fn save_and_restore(&self) -> Result<()> {
        let doing = || format!("saving and restoring the VM `{}`", self.name());
        let _doing = doing::begin(doing());
        self.go_through_file().map_err(migration::refused).with_context(doing)
    }

    fn go_through_file(&self) -> Result<()> {
        self.verify_alive()?;
        let record = self.running()?;
        self.prepare_to_move()?;
        let incarnation = Incarnation::after(&record)?;
        let children = Children { all: vec![self.destination(None, &incarnation)?] };
        let _underway = self.begin_going_over("saving and restoring it", &children)?;
        self.go_over(&record, children.first()?, false).map(drop)
    }

    fn begin_going_over(&self, what: &str, children: &Children) -> Result<Underway<'_>> {
        let ran = self.monitor()?.status()? == "running";
        let others = children.all.iter().filter_map(|child| Some(child.record()?.instance));
        self.begin_transition(Transition::begin(what, Otherwise::of(ran), others.collect())?)
    }

    /// Saves the machine of `record`, and has it go on in `next`, which waits for that. When that
    /// fails, it goes on where it was, and `next` is gone.
    fn go_over(&self, record: &Record, next: &Self, shares: bool) -> Result<Gone> {
        let line = Line::of(record);
        let _held = line.as_ref().map(|line| line.hold()).transpose()?;
        if let Some(line) = &line {
            line.expect(&next.running()?)?;
        }
        let ran = self.monitor()?.status()? == "running";
        let begun = Instant::now();
        let saved = match self.part(record, next, shares) {
            Ok(saved) => saved,
            Err(error) => {
                let error = self.judge(error);
                if let Some(line) = &line {
                    line.stay();
                }
                next.discard();
                if let Err(worse) = self.go_on(ran) {
                    tracing::warn!("the VM `{}` does not go on: {worse}", self.name());
                }
                return Err(error);
            }
        };
        let old = self.switch_to(record, next)?;
        if ran {
            self.resume()?;
        }
        let pause = begun.elapsed();
        // While it is there, whoever reads may be told twice.
        old.retire()?;
        Ok(Gone { saved, ran, pause })
    }

    /// Each twin needs a name of its own.
    fn verify_names(&self, names: &[&str]) -> Result<()> {
        let known = self.home.file.read()?.vms;
        for (index, name) in names.iter().enumerate() {
            name::verify("a twin", name)?;
            let why = if *name == self.name() {
                "the machine that is forked has that name"
            } else if names[..index].contains(name) {
                "another twin is to have that name"
            } else if known.contains_key(*name) {
                "there is a machine of that name, which would have to be destroyed first"
            } else {
                continue;
            };
            let message = format!("a twin cannot be called `{name}`: {why}");
            return Err(Error::new(ErrorKind::Params, message));
        }
        Ok(())
    }

    /// Brings the memory into a file that others can map, and says for how long the guest was
    /// stopped for that, if there was anything to do. Memory that the parameters want otherwise
    /// stays as it is.
    pub(super) fn share_memory(&self) -> Result<Option<Duration>> {
        let record = self.running()?;
        let is_shared = record.memory.as_ref().is_some_and(|memory| memory.share);
        if is_shared || !has_plain_memory(&record.params)? {
            return Ok(None);
        }
        self.migrate_to_shared_memory().map(Some)
    }

    /// A QEMU that waits for the state of `record`, over the disks as they are now.
    fn child(&self, name: &str, record: &Record) -> Result<Self> {
        let mut incarnation = Incarnation::after(record)?;
        let instance = incarnation.instance.clone();
        let is_twin = name != self.name();
        if is_twin {
            incarnation.ancestors.clear();
            if let Some(restored) = &mut incarnation.restored {
                restored.before.clear();
            }
        }
        let mut prepare = || -> Result<Self> {
            if !is_twin {
                // What it has printed so far is part of what it prints from now on.
                let is_disk = |name: &str| Utf8Path::new(name).extension() == Some("qcow2");
                let is_own = |name: &str| is_disk(name) || name == QEMU_LOG;
                link_files(record, &incarnation, |name| !is_own(name))?;
            }
            incarnation.layers = Some(disks::freeze(record, &instance)?);
            incarnation.memory = match &record.memory {
                Some(memory) if memory.share => {
                    std::fs::hard_link(&memory.path, instance.memory())
                        .with_context(|| format!("linking {}", memory.path))?;
                    Some(MemoryFile { path: instance.memory(), share: false })
                }
                _ => None,
            };
            let child = Self::define(&self.home, name, record.params.clone());
            let plan = child.plan()?;
            child.launch(&plan, &incarnation, ProcessId::own()?)?;
            child.greet().inspect_err(|_| child.discard())?;
            Ok(child)
        };
        prepare().inspect_err(|_| instance.remove()).with_context(|| format!("starting `{name}`"))
    }

    /// Pauses the machine, saves it, and has `next` read what was saved: there it goes on.
    fn part(&self, record: &Record, next: &Self, shares: bool) -> Result<OwnedFd> {
        self.pause()?;
        let monitor = self.monitor()?;
        let saved = scratch_file(record, shares)?;
        let target = Target::Descriptor(saved.try_clone()?);
        let settings = shared::settings(shares);
        let mut outgoing = migration::start(&monitor, target, &settings)?;
        outgoing.wait(Deadline::after(PATIENCE), |_| Choice::GoOn)?;
        next.read(&saved, shares)?;
        Ok(saved)
    }

    /// Has a machine that waits for it read what was saved; if it ends meanwhile, says how.
    fn read(&self, saved: &OwnedFd, shares: bool) -> Result<()> {
        self.read_all(saved, shares).map_err(|error| self.explain(error))
    }

    fn read_all(&self, saved: &OwnedFd, shares: bool) -> Result<()> {
        let process = self.process()?.ok_or_else(|| self.death())?;
        let monitor = self.monitor()?;
        let source = Source::Descriptor(reopened(saved)?);
        let mut incoming = migration::listen(&monitor, source, &shared::settings_to_read(shares))?;
        incoming.wait(Deadline::after(PATIENCE), process.as_fd())?;
        disks::reopen(&self.running()?, &monitor)
    }

    /// Lets a twin run if the machine ran, and makes it known: until then it is one that nobody
    /// wants.
    fn let_live(&self, twin: &Self, record: &Record, ran: bool) -> Result<()> {
        let mut known = twin.running()?;
        known.console_offset = 0;
        known.state.clone_from(&record.state);
        known.up = !self.is_booting();
        known.stain(record);
        if ran {
            twin.resume()?;
        }
        let mine = self.lease()?;
        let instance = known.instance.clone();
        Lease { vm: known.name.clone(), instance, ..mine }.write()?;
        let own = self.running()?.instance.id;
        self.home.file.update(|content| {
            if let Some(transition) = content.transitions.get_mut(&own) {
                transition.others.retain(|other| *other != known.instance);
            }
            content.vms.insert(known.name.clone(), known.clone());
        })?;
        if let Some(running) = &mut twin.state().running {
            running.booting = !known.up;
            running.record = known;
        }
        Ok(())
    }
}

/// A machine that has gone on somewhere else.
struct Gone {
    saved: OwnedFd,
    ran: bool,
    /// For how long it stood still.
    pause: Duration,
}

/// Machines that nobody knows of yet: they end when this does.
#[derive(Default)]
struct Children {
    all: Vec<Vm>,
}

impl Children {
    /// The one in which the machine itself goes on.
    fn first(&self) -> Result<&Vm> {
        let none = || Error::new(ErrorKind::VmMissing, "no QEMU to go on in");
        self.all.first().ok_or_else(none)
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &self.all {
            child.discard();
        }
    }
}

/// A file without a name. Devices alone are small; with all of the memory they belong on a disk.
fn scratch_file(record: &Record, devices_alone: bool) -> Result<OwnedFd> {
    if devices_alone {
        return Ok(rustix::fs::memfd_create("devices", MemfdFlags::CLOEXEC)?);
    }
    let directory = record.instance.scratch.as_std_path();
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    Ok(rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR)?)
}

/// The same file once more, with a place to read at of its own: at its beginning.
fn reopened(file: &OwnedFd) -> Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}
