//! `VM`: a virtual machine.

mod forked;
mod handle;
mod origin;

use std::sync::Mutex;

use kvmtest::Vm;
use kvmtest::state::NoSubtests;
use kvmtest::test_utils::LOGIN_TIMEOUT;
use kvmtest::vm::SaveOptions;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::env::Env;
use crate::error::unpicklable;
use crate::migration::{Asked, Figures, compression};
use crate::monitor::{HumanMonitor, QMPMonitor};
use crate::own::Own;
use crate::params::Params;
use crate::session::ShellSession;
use crate::value::{FilePath, Seconds};
pub(crate) use forked::Forked;
use handle::{ATTEMPT, SHUTDOWN, SLEEP, Shown};
pub(crate) use origin::StateOrigin;

/// A virtual machine: a definition and, once it was created, a QEMU process.
///
/// The object is a handle: when it is gone the machine is still there, for as long as somebody
/// holds its lease, which is the test run, or in a program of your own this process. As a context
/// manager the machine is destroyed at the end, without asking its guest.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct VM {
    vm: Own<Vm>,
    params: Mutex<Option<Shown>>,
    /// The environment that was made for it alone.
    env: Mutex<Option<Py<Env>>>,
}

#[pymethods]
impl VM {
    /// Starts a machine with `guest` in an environment of its own, from Python alone.
    ///
    /// `params` are added to those that tests start from: `VM.boot("small", mem=512, smp=2)`. Use
    /// it as a context manager: at the end of the block nothing is left of it. Otherwise it ends
    /// with this process, however that ends. The guest boots meanwhile: `wait_for_login()`.
    #[staticmethod]
    #[pyo3(signature = (guest = "small", *, name = "vm1", **params))]
    fn boot(
        py: Python<'_>,
        guest: &str,
        name: &str,
        params: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        Self::booted(py, guest, name, params)
    }

    /// The name.
    #[getter]
    fn name(&self) -> PyResult<&str> {
        Ok(self.vm.get()?.name())
    }

    /// The params. What is changed in them takes effect when it is asked for next; what concerns
    /// the machine itself, when it is created next.
    #[getter]
    fn params(&self, py: Python<'_>) -> PyResult<Py<Params>> {
        if let Some(shown) = self.shown().as_ref() {
            return Ok(shown.params.clone_ref(py));
        }
        let params = self.vm.get()?.params();
        self.show(py, params)
    }

    #[setter]
    fn set_params(&self, py: Python<'_>, params: &Bound<'_, PyAny>) -> PyResult<()> {
        let params = Params::read(params)?;
        self.vm.get()?.set_params(params.clone());
        self.show(py, params).map(drop)
    }

    /// Starts the machine. What lives already under this name in its environment is destroyed.
    fn create(&self, py: Python<'_>) -> PyResult<()> {
        self.start(py)
    }

    /// Ends the machine and removes all that it had.
    ///
    /// With `gracefully`, the guest's own `shutdown_command` is tried first, and given a minute;
    /// then QEMU is told to quit; what is still there after five seconds is killed.
    #[pyo3(signature = (gracefully = true))]
    fn destroy(&self, py: Python<'_>, gracefully: bool) -> PyResult<()> {
        self.with(py, |vm| vm.destroy(gracefully))
    }

    /// A second definition under the name `name`, with the same params or with `params`; not
    /// started. With the same ones, what must differ between two machines does.
    #[pyo3(signature = (name, params = None))]
    fn clone(
        &self,
        py: Python<'_>,
        name: &str,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        self.called(py, name, params)
    }

    /// Whether QEMU runs and answers on its monitor.
    fn is_alive(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |vm| Ok(vm.is_alive()))
    }

    /// Whether there is no QEMU process. It may hang and not be dead.
    fn is_dead(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, Vm::is_dead)
    }

    /// Raises why, if the machine is dead or its monitor does not answer.
    fn verify_alive(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::verify_alive)
    }

    /// How QEMU ended, in words; `None` for a machine that was not started or still lives.
    fn ending(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.with(py, |vm| Ok(if vm.is_dead()? { vm.ending() } else { None }))
            .map(|ending| ending.map(|ending| ending.to_string()))
    }

    /// Logs in by the way that `shell_client` names, once, within `timeout`, 10 seconds at most.
    #[pyo3(signature = (timeout = None))]
    fn login(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<ShellSession> {
        let timeout = Seconds::or(timeout, ATTEMPT);
        self.session(py, |vm| vm.login(timeout))
    }

    /// Logs in, trying again until it works or `timeout` (240 seconds unless given) has passed.
    /// Fails at once, with the cause, when the machine dies, its guest panics, or cannot boot.
    #[pyo3(signature = (timeout = None))]
    fn wait_for_login(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<ShellSession> {
        let timeout = Seconds::or(timeout, LOGIN_TIMEOUT);
        self.session(py, |vm| vm.wait_for_login(timeout))
    }

    /// Logs in on the serial console, once, within `timeout`, 10 seconds at most.
    #[pyo3(signature = (timeout = None))]
    fn serial_login(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<ShellSession> {
        let timeout = Seconds::or(timeout, ATTEMPT);
        self.session(py, |vm| vm.serial_login(timeout))
    }

    /// Logs in on the serial console as soon as the guest is ready for it, within 240 seconds or
    /// `timeout`.
    #[pyo3(signature = (timeout = None))]
    fn wait_for_serial_login(
        &self,
        py: Python<'_>,
        timeout: Option<Seconds>,
    ) -> PyResult<ShellSession> {
        let timeout = Seconds::or(timeout, LOGIN_TIMEOUT);
        self.session(py, |vm| vm.wait_for_serial_login(timeout))
    }

    /// The main monitor: the one that `main_monitor` names, else the first.
    #[getter(monitor)]
    fn main_monitor(&self, py: Python<'_>) -> PyResult<QMPMonitor> {
        self.with(py, Vm::monitor).map(QMPMonitor::of)
    }

    /// The monitor for people, through the main one.
    #[getter]
    fn human_monitor(&self, py: Python<'_>) -> PyResult<HumanMonitor> {
        self.with(py, Vm::monitor).map(HumanMonitor::of)
    }

    /// The monitor called `name`.
    fn get_monitor(&self, py: Python<'_>, name: &str) -> PyResult<QMPMonitor> {
        self.with(py, |vm| vm.monitor_named(name)).map(QMPMonitor::of)
    }

    /// The names of its monitors; none for a machine that was not started.
    fn monitors(&self) -> PyResult<Vec<String>> {
        let monitors = self.library()?.record().map(|record| record.line.monitors);
        Ok(monitors.into_iter().flatten().map(|monitor| monitor.name).collect())
    }

    /// Executes a command of the monitor for people: `vm.send_monitor_cmd("info status")`.
    fn send_monitor_cmd(&self, py: Python<'_>, command_line: &str) -> PyResult<String> {
        self.with(py, |vm| vm.send_monitor_cmd(command_line))
    }

    /// Stops the guest's processors.
    fn pause(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::pause)
    }

    /// Lets them run again.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::resume)
    }

    /// Whether its processors are stopped by `pause`.
    fn is_paused(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, Vm::is_paused)
    }

    /// Has the guest suspend to memory, by `suspend_command` in `session`, within 60 seconds or
    /// `timeout`. Nobody answers until the machine is woken; then the prompt comes, to be waited
    /// for (`session.read_up_to_prompt()`).
    #[pyo3(signature = (session, timeout = None))]
    fn suspend_to_ram(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        timeout: Option<Seconds>,
    ) -> PyResult<()> {
        self.sleep(py, session, timeout, Vm::suspend_to_ram)
    }

    /// Has the guest suspend to disk, by `hibernate_command` in `session`, and returns when QEMU has
    /// ended; within 60 seconds or `timeout`. `create()` wakes it, on the same disks.
    #[pyo3(signature = (session, timeout = None))]
    fn suspend_to_disk(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        timeout: Option<Seconds>,
    ) -> PyResult<()> {
        self.sleep(py, session, timeout, Vm::suspend_to_disk)
    }

    /// Whether the guest behind `session` says that it can suspend to memory.
    fn can_suspend_to_ram(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
    ) -> PyResult<bool> {
        self.can(py, session, Vm::can_suspend_to_ram)
    }

    /// Whether the guest behind `session` says that it can suspend to disk, which takes swap.
    fn can_suspend_to_disk(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
    ) -> PyResult<bool> {
        self.can(py, session, Vm::can_suspend_to_disk)
    }

    /// Whether the guest sleeps in its memory.
    fn is_suspended(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, Vm::is_suspended)
    }

    /// Wakes the guest up, as its power button would.
    fn system_wakeup(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::system_wakeup)
    }

    /// Wakes the guest up, and returns when its processors run; within 60 seconds or `timeout`.
    #[pyo3(signature = (timeout = None))]
    fn wake(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<()> {
        let timeout = Seconds::or(timeout, SLEEP);
        self.with(py, |vm| vm.wake(timeout))
    }

    /// Moves the machine to another QEMU on this host, which this object denotes from then on;
    /// sessions go on. What it came to is given back; a failure leaves the machine running.
    ///
    /// `protocol` is `tcp`, `unix`, `exec`, `fd` or `file`. With `offline` the guest is stopped
    /// first; by itself one that is emulated is. After `cancel_after` seconds it is cancelled
    /// (`MigrateCancelledError`). `bandwidth` is bytes a second, `downtime` seconds; `capabilities`
    /// (`{"multifd": True}`) and `parameters` have QEMU's names. It may take an hour, or `timeout`.
    /// `on_progress` is called with `Figures` whenever they change, and may return `"cancel"` or
    /// `"postcopy"`.
    ///
    /// What goes wrong is a `MigrateError`; a value that cannot be one is a `ValueError` or a
    /// `TypeError`, and a name that this QEMU does not know a `ParamError`.
    #[pyo3(signature = (
        protocol = "tcp", *, offline = None, cancel_after = None, bandwidth = None,
        downtime = None, capabilities = None, parameters = None, timeout = None,
        on_progress = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn migrate(
        &self,
        py: Python<'_>,
        protocol: &str,
        offline: Option<bool>,
        cancel_after: Option<f64>,
        bandwidth: Option<&Bound<'_, PyAny>>,
        downtime: Option<f64>,
        capabilities: Option<&Bound<'_, PyAny>>,
        parameters: Option<&Bound<'_, PyAny>>,
        timeout: Option<f64>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Figures> {
        let asked = Asked {
            protocol,
            offline,
            cancel_after,
            bandwidth,
            downtime,
            capabilities,
            parameters,
            timeout,
        };
        asked.migrate(py, self.library()?, on_progress)
    }

    /// Saves the machine in the file `path`, and beside it in `path.disks` and `path.json`; then
    /// the guest goes on. `compression` is `none` or `gzip`; with `mapped_ram` (QEMU 9.0 or later)
    /// the file does not grow with what the guest writes meanwhile.
    #[pyo3(signature = (path, compression = "none", mapped_ram = false))]
    fn save_to_file(
        &self,
        py: Python<'_>,
        path: FilePath,
        compression: &str,
        mapped_ram: bool,
    ) -> PyResult<()> {
        let options = SaveOptions { compression: self::compression(compression)?, mapped_ram };
        self.with(py, |vm| vm.save_to_file(&path.0, options))
    }

    /// Starts the machine as it was saved in `path`; what was there of it is destroyed. Sessions of
    /// before log in again with the next thing that is sent.
    fn restore_from_file(&self, py: Python<'_>, path: FilePath) -> PyResult<()> {
        self.with(py, |vm| vm.restore_from_file(&path.0))
    }

    /// Saves the machine, memory and disks, as `name` in the qcow2 images that it writes to.
    fn savevm(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |vm| vm.savevm(name))
    }

    /// Makes the machine what it was when it was saved as `name` by `savevm`.
    fn loadvm(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |vm| vm.loadvm(name))
    }

    /// Removes what was saved as `name` by `savevm`.
    fn delvm(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.with(py, |vm| vm.delvm(name))
    }

    /// Makes a second machine, `name`, of this one, which runs: both go on from the same moment,
    /// and neither sees anything of the other afterwards.
    fn fork(&self, py: Python<'_>, name: &str) -> PyResult<Self> {
        self.with(py, |vm| vm.fork(name)).map(Self::of)
    }

    /// The same for several machines at once, which costs one pause: the machines, and what it
    /// cost.
    #[expect(clippy::needless_pass_by_value, reason = "what Python hands over")]
    fn fork_all(&self, py: Python<'_>, names: Vec<String>) -> PyResult<(Vec<Self>, Forked)> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (twins, forked) = self.with(py, |vm| vm.fork_all(&names))?;
        Ok((twins.into_iter().map(Self::of).collect(), Forked::of(forked)))
    }

    /// Starts the machine from the state that its params want (`vm_state`, else `booted`): booted
    /// and logged in. A state that is not there is made first; only `kvmtest` itself can make one
    /// whose step is a subtest (`kvmtest state build`). Gives back which it was.
    fn create_from_state(&self, py: Python<'_>) -> PyResult<StateOrigin> {
        self.with(py, |vm| vm.create_from_state(&mut NoSubtests)).map(StateOrigin::of)
    }

    /// The state that the machine, or the one that it was forked from, was started from; `None`
    /// where it booted.
    #[getter]
    fn origin(&self) -> PyResult<Option<StateOrigin>> {
        Ok(self.library()?.record().and_then(|record| record.state).map(StateOrigin::of))
    }

    /// The file of the saved machine that this one goes on from (`restore_from_file`), if it does.
    #[getter]
    fn restored_from(&self) -> PyResult<Option<String>> {
        let record = self.library()?.record();
        Ok(record.and_then(|record| record.restored).map(|restored| restored.path.into()))
    }

    /// Presses the reset button.
    fn system_reset(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::system_reset)
    }

    /// Presses the power button; the guest decides what that means.
    fn system_powerdown(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::system_powerdown)
    }

    /// Reboots the guest and logs in again, all within `timeout` (240 seconds unless given).
    ///
    /// `method` is `shell` (the guest's `reboot_command`, given in `session`) or `system_reset`.
    /// `session` ends with the guest that it belonged to; the new one is given back.
    #[pyo3(signature = (session, method = "shell", timeout = None))]
    fn reboot(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        method: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<ShellSession> {
        self.boots_anew(py, session, method, Seconds::or(timeout, LOGIN_TIMEOUT))
    }

    /// Waits until QEMU has ended: the guest powered off, or was made to. For 240 seconds, unless
    /// `timeout` is given.
    #[pyo3(signature = (timeout = None))]
    fn wait_for_shutdown(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<()> {
        let timeout = Seconds::or(timeout, SHUTDOWN);
        self.with(py, |vm| vm.wait_for_shutdown(timeout))
    }

    /// Says that from now on, while this test runs, the guest may boot anew by itself.
    fn expect_reset(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::expect_reset)
    }

    /// Says that from now on, while this test runs, the guest may power off by itself.
    fn expect_shutdown(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, Vm::expect_shutdown)
    }

    /// Presses keys together: `ret`, `ctrl-alt-f1`.
    fn send_key(&self, py: Python<'_>, keys: &str) -> PyResult<()> {
        self.with(py, |vm| vm.send_key(keys))
    }

    /// Whether there is a screen to be seen. A machine with `vga = none` has none.
    fn has_screen(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, Vm::has_screen)
    }

    /// Writes what is on the first screen to `path`, which ends in `.png` or `.ppm`.
    fn screendump(&self, py: Python<'_>, path: FilePath) -> PyResult<()> {
        self.with(py, |vm| vm.screendump(&path.0))
    }

    /// The last `count` bytes that the serial console printed.
    #[pyo3(signature = (count = 4096))]
    fn console_tail<'py>(&self, py: Python<'py>, count: u64) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.library()?.console_tail(count)))
    }

    /// The number of the QEMU process.
    fn get_pid(&self, py: Python<'_>) -> PyResult<u32> {
        self.with(py, Vm::get_pid)
    }

    /// The UUID that the machine was given, or all zeros.
    fn get_uuid(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, Vm::get_uuid)
    }

    /// The address at which the guest's network card number `nic` (from 0) answers.
    #[pyo3(signature = (nic = 0))]
    fn get_address(&self, py: Python<'_>, nic: usize) -> PyResult<String> {
        self.with(py, |vm| vm.get_address(nic))
    }

    /// The port of the host that leads to the guest's TCP port `guest_port` on the network card
    /// number `nic`.
    #[pyo3(signature = (guest_port, nic = 0))]
    fn get_port(&self, py: Python<'_>, guest_port: u16, nic: usize) -> PyResult<u16> {
        self.with(py, |vm| vm.get_port(guest_port, nic))
    }

    /// The command that would start the machine now, as a shell script that a person can run.
    fn qemu_command(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, Vm::qemu_command)
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (_kind, _error, _traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.leave(py)
    }

    fn __repr__(&self) -> String {
        format!("<VM {}>", self.vm.here().map_or("of another process", Vm::name))
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("VM"))
    }
}
