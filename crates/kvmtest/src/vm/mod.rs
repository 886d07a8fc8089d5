//! The virtual machine: a living QEMU process, wrapped.

mod checkpoint;
pub mod command;
mod console;
mod control;
mod create;
mod death;
mod destroy;
mod expected;
mod facts;
mod following;
mod fork;
mod holding;
mod incarnation;
mod instance;
mod launch;
mod lifetime;
mod login;
mod logs;
mod migrate;
mod reach;
mod record;
mod recover;
mod revive;
mod save;
mod screen;
mod shared;
mod snapshot;
mod suspend;
mod transition;
mod watch;

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use control::RebootMethod;
pub use death::Ending;
pub use expected::Expected;
pub use fork::Forked;
pub(crate) use instance::remove_if_empty;
pub use instance::{Instance, runtime_root, scratch_root};
pub use lifetime::{Choice, GuestUse, Lifetime};
pub use migrate::{MigrateOptions, Protocol};
pub use record::{Record, Restored};
pub use save::SaveOptions;
pub(crate) use transition::Transition;

use crate::deadline::Deadline;
use crate::env::{Face, Home, MONITORS};
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::{HumanMonitor, QmpMonitor};
use crate::params::{Params, name};

/// How long QEMU has to greet on a monitor.
const GREETING: Duration = Duration::from_secs(20);

/// The monitor that is kept for what runs the test.
const HARNESS: &str = "harness";

/// A virtual machine. It is defined by its parameters, and once created it is a QEMU process
/// that outlives whoever started it.
///
/// A `Vm` is a handle: dropping it leaves the machine alone.
pub struct Vm {
    name: String,
    home: Arc<Home>,
    state: Mutex<State>,
}

struct State {
    params: Params,
    /// Whether this denotes one incarnation only, wherever the machine goes.
    is_past: bool,
    running: Option<Running>,
}

/// What goes with one incarnation.
struct Running {
    record: Record,
    monitors: HashMap<String, Arc<QmpMonitor>>,
    /// Whether the guest may still be on its way up, as far as this handle knows.
    booting: bool,
    /// Where in the console's log the present boot begins, as far as this handle knows.
    boot_offset: u64,
}

impl Running {
    fn new(record: Record) -> Self {
        // In a later test, the machine has been up in an earlier one.
        let booting = record.console_offset == 0 && !record.up;
        let boot_offset = record.console_offset;
        Self { record, monitors: HashMap::new(), booting, boot_offset }
    }
}

impl Vm {
    /// The VM called `name` that `params` (its own, see [`Params::object_params`]) describe.
    pub(crate) fn define(home: &Arc<Home>, name: &str, params: Params) -> Self {
        let state = State { params, is_past: false, running: None };
        Self { name: name.to_owned(), home: Arc::clone(home), state: Mutex::new(state) }
    }

    /// The same under a name that somebody chose, who may have chosen one that cannot be.
    pub(crate) fn define_called(home: &Arc<Home>, name: &str, params: Params) -> Result<Self> {
        name::verify("a VM", name)?;
        Ok(Self::define(home, name, params))
    }

    /// The VM that an env file tells of.
    pub(crate) fn from_record(home: &Arc<Home>, record: Record) -> Self {
        let vm = Self::define(home, &record.name, record.params.clone());
        vm.state().running = Some(Running::new(record));
        vm
    }

    /// What a machine was before it moved: `record`, and never what it is now.
    fn past(home: &Arc<Home>, record: Record) -> Self {
        let vm = Self::from_record(home, record);
        vm.state().is_past = true;
        vm
    }

    /// A second definition under the name `name`, with the same parameters; not started.
    ///
    /// What must differ between two machines does: addresses and ports are found anew, and a
    /// fixed MAC address or UUID is dropped. A name that cannot be one ([`name`]) is an error.
    pub fn clone(&self, name: &str) -> Result<Self> {
        let mut params = self.params();
        let fixed = |key: &str| key == "uuid" || key == "nic_mac" || key.starts_with("nic_mac_");
        let keys: Vec<String> =
            params.iter().map(|(key, _)| key.to_owned()).filter(|key| fixed(key)).collect();
        for key in keys {
            params.remove(&key);
        }
        self.clone_with(name, params)
    }

    /// A second definition under the name `name`, with parameters of its own; not started.
    pub fn clone_with(&self, name: &str, params: Params) -> Result<Self> {
        Self::define_called(&self.home, name, params)
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters.
    pub fn params(&self) -> Params {
        self.state().params.clone()
    }

    /// Gives the VM other parameters. What of them concerns the machine itself takes effect
    /// when it is created next.
    pub fn set_params(&self, params: Params) {
        let mut state = self.state();
        if let Some(running) = &mut state.running {
            running.record.params = params.clone();
        }
        state.params = params;
    }

    /// What there is to know of the present incarnation, if the VM was started.
    pub fn record(&self) -> Option<Record> {
        self.state().running.as_ref().map(|running| running.record.clone())
    }

    /// Whether QEMU runs and answers on its monitor. A process that is to end asks no monitor any
    /// more: whether QEMU runs, then.
    pub fn is_alive(&self) -> bool {
        match self.verify_alive() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                matches!(self.is_dead(), Ok(false))
            }
            verified => verified.is_ok(),
        }
    }

    /// Whether there is no QEMU process. It may hang and not be dead.
    pub fn is_dead(&self) -> Result<bool> {
        Ok(self.process()?.is_none())
    }

    /// An error that says why, if the VM is dead or its monitor does not answer. One that a process
    /// was moving or saving that is dead by now is set right first.
    pub fn verify_alive(&self) -> Result<()> {
        if !self.is_dead()? {
            self.recover(true)?;
        }
        if self.is_dead()? {
            return Err(self.death());
        }
        self.monitor()?.status().map(drop)
    }

    /// The number of the QEMU process.
    pub fn get_pid(&self) -> Result<u32> {
        Ok(self.running()?.process.pid)
    }

    /// The UUID that the machine was given, or all zeros.
    pub fn get_uuid(&self) -> Result<String> {
        let answer = self.monitor()?.cmd("query-uuid", serde_json::Value::Null)?;
        Ok(answer["UUID"].as_str().unwrap_or_default().to_owned())
    }

    /// The main monitor: the one that `main_monitor` names, else the first; for what runs the
    /// test, the one that is kept for it.
    pub fn monitor(&self) -> Result<Arc<QmpMonitor>> {
        self.monitor_by(Deadline::after(GREETING))
    }

    /// The same, with a deadline for its greeting if nobody is connected to it yet.
    pub fn monitor_by(&self, deadline: Deadline) -> Result<Arc<QmpMonitor>> {
        let record = self.running()?;
        let name = match self.home.face {
            Face::Harness => HARNESS.to_owned(),
            Face::Test => {
                let mut monitors = record.line.monitors.iter().map(|monitor| &monitor.name);
                let first = monitors.find(|name| *name != HARNESS).cloned();
                let main = self.state().params.find_nonempty("main_monitor").map(str::to_owned);
                main.or(first).ok_or_else(|| {
                    Error::new(ErrorKind::Monitor, "the VM has no monitor: `monitors` is empty")
                })?
            }
        };
        self.monitor_named_by(&name, deadline)
    }

    /// The monitor called `name`.
    pub fn monitor_named(&self, name: &str) -> Result<Arc<QmpMonitor>> {
        self.monitor_named_by(name, Deadline::after(GREETING))
    }

    fn monitor_named_by(&self, name: &str, deadline: Deadline) -> Result<Arc<QmpMonitor>> {
        let mut state = self.state();
        let Some(running) = &mut state.running else { return Err(self.not_started()) };
        if let Some(monitor) = running.monitors.get(name) {
            return Ok(Arc::clone(monitor));
        }
        // A child of a fork has nobody who reads for it what its parent is connected to.
        let key = format!("{}/{name}/{}", running.record.instance.id, std::process::id());
        let connect = || self.connect_monitor(&running.record, name, deadline);
        let monitor = MONITORS.get_or_make(&key, deadline, connect)?;
        running.monitors.insert(name.to_owned(), Arc::clone(&monitor));
        Ok(monitor)
    }

    /// The human face of the main monitor.
    pub fn human_monitor(&self) -> Result<HumanMonitor> {
        Ok(HumanMonitor::new(self.monitor()?))
    }

    /// Executes a command of the human monitor and gives back what it printed:
    /// `vm.send_monitor_cmd("info status")`.
    pub fn send_monitor_cmd(&self, command_line: &str) -> Result<String> {
        self.human_monitor()?.cmd(command_line)
    }

    /// A descriptor of the QEMU process, if it lives: readable once it has ended.
    pub fn process(&self) -> Result<Option<OwnedFd>> {
        let Some(record) = self.record() else { return Ok(None) };
        match record.process.open()? {
            None if self.follow()? => self.running_now()?.process.open(),
            process => Ok(process),
        }
    }

    pub(crate) fn running(&self) -> Result<Record> {
        self.process()?;
        self.running_now()
    }

    fn running_now(&self) -> Result<Record> {
        self.record().ok_or_else(|| self.not_started())
    }

    /// Denotes what the machine is now, if somebody has moved it to another QEMU, or has set it
    /// back to what was saved of it; says whether.
    fn follow(&self) -> Result<bool> {
        let Some(mine) = self.record().filter(|_| !self.state().is_past) else {
            return Ok(false);
        };
        let known = self.home.file.read()?.vms.remove(&self.name);
        let is_mine = |known: &Record| {
            known.descends_from(&mine) || known.restored_since(&mine.instance.id).is_some()
        };
        let Some(record) = known.filter(is_mine) else { return Ok(false) };
        let mut state = self.state();
        // Whoever moves it by this very handle was faster, or it was destroyed.
        let Some(running) =
            state.running.as_mut().filter(|running| running.record.instance == mine.instance)
        else {
            return Ok(state.running.is_some());
        };
        let (booting, boot_offset) = (running.booting, running.boot_offset);
        let is_same = record.restored_since(&mine.instance.id).is_none();
        *running = Running::new(record);
        if is_same {
            (running.booting, running.boot_offset) = (booting, boot_offset);
        }
        Ok(true)
    }

    /// Says that the guest has come up.
    fn set_up(&self) {
        if let Some(running) = &mut self.state().running {
            running.booting = false;
        }
    }

    /// Says that the guest boots anew; its console's log begins at `offset`.
    fn set_booting(&self, offset: u64) {
        if let Some(running) = &mut self.state().running {
            running.booting = true;
            running.boot_offset = offset;
        }
    }

    fn is_booting(&self) -> bool {
        self.state().running.as_ref().is_some_and(|running| running.booting)
    }

    fn connect_monitor(
        &self,
        record: &Record,
        name: &str,
        deadline: Deadline,
    ) -> Result<QmpMonitor> {
        let mut monitors = record.line.monitors.iter();
        let socket = monitors
            .find(|monitor| monitor.name == name)
            .map(|monitor| monitor.socket.as_str())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Monitor,
                    format!("the VM `{}` has no monitor called `{name}`", self.name),
                )
            })?;
        let log = self.log_path(&format!("qmp-{}-{name}.jsonl", self.name));
        let stream = match record.process.open()? {
            Some(process) => record.instance.connect_early(socket, process.as_fd(), deadline)?,
            None => record.instance.connect(socket)?,
        };
        QmpMonitor::connect(name, stream, log.as_deref(), deadline)
    }

    fn not_started(&self) -> Error {
        Error::new(ErrorKind::VmDead, format!("the VM `{}` was not started", self.name))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
