//! What is behind a `VM`: the library's machine, and the params that Python was shown.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kvmtest::session::Session;
use kvmtest::vm::RebootMethod;
use kvmtest::{Result, Vm, params};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::VM;
use crate::boot;
use crate::env::Env;
use crate::error::raise;
use crate::own::Own;
use crate::params::Params;
use crate::session::ShellSession;
use crate::value::Seconds;
use crate::wait::wait;

/// How long one attempt to log in may take.
pub(super) const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a guest may take to shut down where nothing else is said.
pub(super) const SHUTDOWN: Duration = Duration::from_secs(240);
/// How long a guest may take to sleep, or to wake up, where nothing else is said.
pub(super) const SLEEP: Duration = Duration::from_secs(60);

/// The params that Python was shown, and may change.
pub(super) struct Shown {
    pub(super) params: Py<Params>,
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

    /// A machine with `guest` that runs, in an environment of its own.
    pub(super) fn booted(
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
        let started = env.get().define(py, name, None).and_then(|vm| {
            vm.start(py)?;
            Ok(vm)
        });
        // What is there to be told is why it did not start.
        let vm = started.inspect_err(|_| drop(env.get().close(py)))?;
        *vm.env.lock().unwrap_or_else(PoisonError::into_inner) = Some(env);
        Ok(vm)
    }

    /// Another definition, under the name `name`.
    pub(super) fn called(
        &self,
        py: Python<'_>,
        name: &str,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let vm = self.library()?;
        let other = match params {
            Some(params) => vm.clone_with(name, Params::read(params)?),
            None => vm.clone(name),
        };
        other.map(Self::of).map_err(|error| raise(py, &error))
    }

    /// Ends the machine, and the environment that was made for it.
    pub(super) fn leave(&self, py: Python<'_>) -> PyResult<()> {
        let destroyed = self.with(py, |vm| vm.destroy(false));
        let env = self.env.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed = env.map_or(Ok(()), |env| env.get().close(py));
        destroyed.and(closed)
    }

    /// Has the guest behind `session` sleep by `how`.
    pub(super) fn sleep(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        timeout: Option<Seconds>,
        how: impl FnOnce(&Vm, &mut Session, Duration) -> Result<()> + Send,
    ) -> PyResult<()> {
        let timeout = Seconds(Seconds::or(timeout, SLEEP));
        let vm = self.library()?;
        session
            .get()
            .with(py, Some(timeout), |session, deadline| how(vm, session, deadline.remaining()))
    }

    /// What the guest behind `session` says to a question.
    pub(super) fn can(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        what: impl FnOnce(&Vm, &mut Session) -> Result<bool> + Send,
    ) -> PyResult<bool> {
        let vm = self.library()?;
        session.get().with(py, None, |session, _| what(vm, session))
    }

    /// The session after a reboot, in which that of before ends.
    pub(super) fn boots_anew(
        &self,
        py: Python<'_>,
        session: &Bound<'_, ShellSession>,
        method: &str,
        timeout: Duration,
    ) -> PyResult<ShellSession> {
        let method: RebootMethod = method
            .parse()
            .map_err(|error: kvmtest::Error| PyValueError::new_err(error.message().to_owned()))?;
        let vm = self.library()?;
        let old = session.get().take(py)?;
        wait(py, || ShellSession::of(vm.reboot(old, method, timeout)?))
    }

    /// Waits for something of the library's machine.
    pub(super) fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Vm) -> Result<T> + Send,
    ) -> PyResult<T> {
        let vm = self.library()?;
        wait(py, || work(vm))
    }

    pub(super) fn session(
        &self,
        py: Python<'_>,
        log_in: impl FnOnce(&Vm) -> Result<Session> + Send,
    ) -> PyResult<ShellSession> {
        self.with(py, |vm| ShellSession::of(log_in(vm)?))
    }

    pub(super) fn shown(&self) -> std::sync::MutexGuard<'_, Option<Shown>> {
        self.params.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn show(&self, py: Python<'_>, params: params::Params) -> PyResult<Py<Params>> {
        let params = Py::new(py, Params::of(params))?;
        *self.shown() = Some(Shown { params: params.clone_ref(py), version: 0 });
        Ok(params)
    }
}
