//! `VM`: a virtual machine.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kvmtest::session::Session;
use kvmtest::test_utils::LOGIN_TIMEOUT;
use kvmtest::vm::RebootMethod;
use kvmtest::{Result, Vm, params};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::boot;
use crate::env::Env;
use crate::error::unpicklable;
use crate::monitor::{HumanMonitor, QMPMonitor};
use crate::own::Own;
use crate::params::Params;
use crate::session::ShellSession;
use crate::value::{FilePath, Seconds};
use crate::wait::wait;

/// How long one attempt to log in may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a guest may take to shut down where nothing else is said.
const SHUTDOWN: Duration = Duration::from_secs(240);

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

/// The params that Python was shown, and may change.
struct Shown {
    params: Py<Params>,
    version: u64,
}

impl VM {
    pub(crate) fn of(vm: Vm) -> Self {
        Self { vm: Own::new(vm), params: Mutex::default(), env: Mutex::default() }
    }

    /// The library's machine, with the params as they are now.
    pub(crate) fn library(&self) -> PyResult<&Vm> {
        let vm = self.vm.get()?;
        if let Some(shown) = self.shown().as_mut()
            && let Some(params) = shown.params.get().changed_since(&mut shown.version)
        {
            vm.set_params(params);
        }
        Ok(vm)
    }

    pub(crate) fn start(&self, py: Python<'_>) -> PyResult<()> {
        let vm = self.library()?;
        wait(py, || vm.create())
    }

    /// Waits for something of the library's machine.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Vm) -> Result<T> + Send,
    ) -> PyResult<T> {
        let vm = self.library()?;
        wait(py, || work(vm))
    }

    fn session(
        &self,
        py: Python<'_>,
        log_in: impl FnOnce(&Vm) -> Result<Session> + Send,
    ) -> PyResult<ShellSession> {
        self.with(py, |vm| ShellSession::of(log_in(vm)?))
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Option<Shown>> {
        self.params.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, py: Python<'_>, params: params::Params) -> PyResult<Py<Params>> {
        let params = Py::new(py, Params::of(params))?;
        *self.shown() = Some(Shown { params: params.clone_ref(py), version: 0 });
        Ok(params)
    }
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
        let mut all = boot::base();
        all.set("guest", guest);
        all.set("vms", name);
        all.set("main_vm", name);
        if let Some(params) = params {
            for (key, value) in Params::read(params)?.values() {
                all.insert(key, value.clone());
            }
        }
        let env = Py::new(py, Env::make(py, all)?)?;
        let vm = env.get().define(py, name, None)?;
        if let Err(error) = vm.start(py) {
            // What is there to be told is why it did not start.
            let _ = env.get().close(py);
            return Err(error);
        }
        *vm.env.lock().unwrap_or_else(PoisonError::into_inner) = Some(env);
        Ok(vm)
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
    fn clone(&self, name: &str, params: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let vm = self.library()?;
        Ok(Self::of(match params {
            Some(params) => vm.clone_with(name, Params::read(params)?),
            None => vm.clone(name),
        }))
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
        self.with(py, |vm| {
            if !vm.is_dead()? {
                return Ok(None);
            }
            Ok(vm.ending().map(|ending| ending.to_string()))
        })
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
        let record = self.library()?.record();
        let monitors = record.map(|record| record.line.monitors).unwrap_or_default();
        Ok(monitors.into_iter().map(|monitor| monitor.name).collect())
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
        let method: RebootMethod = method
            .parse()
            .map_err(|error: kvmtest::Error| PyValueError::new_err(error.message().to_owned()))?;
        let timeout = Seconds::or(timeout, LOGIN_TIMEOUT);
        let vm = self.library()?;
        let old = session.get().take(py)?;
        wait(py, || ShellSession::of(vm.reboot(old, method, timeout)?))
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
        let destroyed = self.destroy(py, false);
        let env = self.env.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed = env.map_or(Ok(()), |env| env.get().close(py));
        destroyed.and(closed)
    }

    fn __repr__(&self) -> String {
        format!("<VM {}>", self.vm.here().map_or("of another process", Vm::name))
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("VM"))
    }
}
