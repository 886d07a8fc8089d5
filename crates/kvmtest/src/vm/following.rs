//! Sessions follow their machine: through a move, and back to what was saved of it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::console::{self, Line};
use super::record::Restored;
use super::{Instance, Record, Vm, snapshot};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::session::{Expect, Follow, Gate};
use crate::wait;

/// Has a session on the console go on where the machine does, and begin anew where it was set back
/// to what was saved of it.
pub(super) struct Console {
    vm: Vm,
    line: Arc<Line>,
    /// The instance that the session is connected to, and its process.
    at: String,
    process: OwnedFd,
}

impl Console {
    /// For a session on the console of the machine of `record`.
    pub(super) fn new(vm: Vm, line: Arc<Line>, record: &Record, process: OwnedFd) -> Self {
        Self { vm, line, at: record.instance.id.clone(), process }
    }

    /// What the machine is now, if it is elsewhere.
    fn now(&self, deadline: Deadline) -> Result<Option<Record>> {
        if !self.line.has_moved() {
            // Another thread may be about to bring it there.
            drop(self.line.gate().enter(deadline)?);
        }
        self.vm.follow()?;
        Ok(self.vm.record().filter(|record| record.instance.id != self.at))
    }

    fn was_restored(&self, restored: &Restored) -> String {
        format!("the VM `{}` was restored from {}", self.vm.name(), restored.path)
    }
}

impl Follow for Console {
    fn has_moved(&self) -> bool {
        self.line.has_moved() || is_over(&self.process)
    }

    fn gate(&self) -> Option<&Arc<Gate>> {
        Some(self.line.gate())
    }

    fn output_gate(&self) -> Option<&Arc<Gate>> {
        Some(self.line.output_gate())
    }

    fn close(&self) {
        self.line.rests();
    }

    fn follow(&mut self, deadline: Deadline) -> Result<Option<Expect>> {
        let Some(record) = self.now(deadline)? else { return Ok(None) };
        if let Some(restored) = record.restored_since(&self.at) {
            let what = self.was_restored(restored);
            let message = format!("{what} meanwhile: what is sent next begins anew there");
            return Err(Error::new(ErrorKind::ExpectTerminated, message));
        }
        let stop = self.line.next_stop(&record);
        if let Some(passed) = stop.as_ref().filter(|stop| stop.id != record.instance.id) {
            // The machine was here, and is elsewhere by now.
            self.at.clone_from(&passed.id);
            let stream = passed.stream.try_clone()?;
            return Expect::over_unix(stream, self.vm.name(), None).map(Some);
        }
        let Some(process) = self.vm.process()? else { return Ok(None) };
        let stream = if let Some(stop) = stop {
            stop.stream
        } else {
            // Somebody else has moved it.
            self.line.has_followed(&record);
            console::connect(&record)?
        };
        self.line.talks_by(&stream)?;
        let mut expect = Expect::over_unix(stream, self.vm.name(), None)?;
        for watch in self.vm.watches(Some(Arc::clone(&self.line)))? {
            expect.add_watch(watch);
        }
        self.at = record.instance.id;
        self.process = process;
        Ok(Some(expect))
    }

    fn begin_anew(&mut self, deadline: Deadline) -> Result<Option<Expect>> {
        let Some(record) = self.now(deadline)? else { return Ok(None) };
        let Some(restored) = record.restored_since(&self.at) else { return Ok(None) };
        let session = self
            .vm
            .over_serial(deadline)
            .with_context(|| format!("logging in again: {}", self.was_restored(restored)))?;
        Ok(Some(session.into_expect()))
    }
}

/// Has a session over the network log in anew where the machine has moved, or was set back.
pub(super) struct Network {
    vm: Vm,
    /// The way in: `ssh`.
    client: String,
    /// The instance in which it is logged in, its process, and how often that was set back before.
    at: Instance,
    process: OwnedFd,
    loads: u64,
}

impl Network {
    /// For a session with the machine of `record`, by way of `client`.
    pub(super) fn new(vm: Vm, client: &str, record: &Record, process: OwnedFd) -> Self {
        let at = record.instance.clone();
        let loads = snapshot::loads(&at);
        Self { vm, client: client.to_owned(), at, process, loads }
    }
}

impl Follow for Network {
    fn has_moved(&self) -> bool {
        is_over(&self.process) || snapshot::loads(&self.at) > self.loads
    }

    fn begin_anew(&mut self, deadline: Deadline) -> Result<Option<Expect>> {
        self.vm.follow()?;
        let is_elsewhere = self.vm.record().is_some_and(|record| record.instance != self.at);
        let is_set_back = snapshot::loads(&self.at) > self.loads;
        if !is_elsewhere && !is_set_back || self.vm.process()?.is_none() {
            return Ok(None);
        }
        let what = if is_elsewhere { "has moved" } else { "was set back to a snapshot" };
        let again = || format!("logging in again to the VM `{}`, which {what}", self.vm.name());
        let session = self.vm.over_network(&self.client, deadline).with_context(again)?;
        Ok(Some(session.into_expect()))
    }
}

fn is_over(process: &OwnedFd) -> bool {
    let now = Deadline::after(Duration::ZERO);
    wait::readable([process.as_fd()], now).is_ok_and(|[ended]| ended)
}
