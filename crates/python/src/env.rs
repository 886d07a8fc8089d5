//! `Env`: the environment of a test, the machines that live, by name.

use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use kvmtest::{Env as Library, env, params};
use pyo3::prelude::*;

use crate::error::{raise, unpicklable};
use crate::own::Own;
use crate::params::Params;
use crate::value::FilePath;
use crate::vm::VM;
use crate::wait::wait;

/// The machines that live, by name, as a file tells it that all processes of a test share.
///
/// `Env(params)` makes one of its own, which no test run finds: its machines end with it, or with
/// this process. As a context manager it is closed at the end.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct Env {
    env: Own<Inner>,
    params: Py<Params>,
}

struct Inner {
    library: Library,
    /// Whether it was made here, and ends here.
    is_own: Mutex<bool>,
}

impl Env {
    pub(crate) fn make(py: Python<'_>, params: params::Params) -> PyResult<Self> {
        let library = wait(py, env::keep)?;
        Self::of(py, library, params, true)
    }

    fn of(
        py: Python<'_>,
        library: Library,
        params: params::Params,
        is_own: bool,
    ) -> PyResult<Self> {
        let inner = Inner { library, is_own: Mutex::new(is_own) };
        Ok(Self { env: Own::new(inner), params: Py::new(py, Params::of(params))? })
    }

    /// The library's environment, with the params as they are now.
    fn library(&self) -> PyResult<Library> {
        let params = self.params.get().snapshot();
        Ok(self.env.get()?.library.clone().with_params(&params))
    }

    /// The machine `name`, not started.
    pub(crate) fn define(
        &self,
        py: Python<'_>,
        name: &str,
        params: Option<params::Params>,
    ) -> PyResult<VM> {
        let library = match params {
            Some(params) => self.env.get()?.library.clone().with_params(&params),
            None => self.library()?,
        };
        library.define_vm(name).map(VM::of).map_err(|error| raise(py, &error))
    }
}

impl Inner {
    /// Ends the machines, if they are nobody else's.
    fn close(&self) -> kvmtest::Result<()> {
        let is_own = std::mem::take(&mut *self.is_own());
        if !is_own {
            return Ok(());
        }
        let mut result = Ok(());
        for vm in self.library.get_all_vms()? {
            result = result.and(vm.destroy(false));
        }
        result.and(self.remove())
    }

    /// Removes the file, and with it what is empty then.
    fn remove(&self) -> kvmtest::Result<()> {
        self.library.set_holder(None)?;
        self.library.tidy()?;
        env::remove_empty_directories()
    }

    fn is_own(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The machines' leases end with this process at the latest. What must not stay behind is
        // a file that is empty.
        let knows_none = self.library.get_all_vms().is_ok_and(|vms| vms.is_empty());
        if *self.is_own() && knows_none {
            let _ = self.remove();
        }
    }
}

#[pymethods]
impl Env {
    #[new]
    #[pyo3(signature = (params = None))]
    fn new(py: Python<'_>, params: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::make(py, params.map(Params::read).transpose()?.unwrap_or_default())
    }

    /// The environment in the file `path`, which need not exist yet; it stays as it is when this
    /// object is gone. Machines are made from `params`; logs of monitors and sessions go to
    /// `log_dir`, if it is given.
    #[staticmethod]
    #[pyo3(signature = (path, params = None, log_dir = None))]
    fn open(
        py: Python<'_>,
        path: FilePath,
        params: Option<&Bound<'_, PyAny>>,
        log_dir: Option<FilePath>,
    ) -> PyResult<Self> {
        let params = params.map(Params::read).transpose()?.unwrap_or_default();
        let path: Utf8PathBuf =
            camino::absolute_utf8(&path.0).map_err(|error| raise(py, &error.into()))?;
        let library = wait(py, || {
            let library = Library::open(&path)?;
            Ok(match log_dir {
                Some(dir) => library.with_log_dir(&dir.0),
                None => library,
            })
        })?;
        Self::of(py, library, params, false)
    }

    /// The file.
    #[getter]
    fn path(&self) -> PyResult<String> {
        Ok(self.env.get()?.library.path().to_string())
    }

    /// The params from which machines are made. What is changed in them counts for machines that
    /// are defined from then on.
    #[getter]
    fn params(&self, py: Python<'_>) -> Py<Params> {
        self.params.clone_ref(py)
    }

    /// The machine called `name`, or `None` if there is none. It may be dead.
    fn get_vm(&self, py: Python<'_>, name: &str) -> PyResult<Option<VM>> {
        let library = self.library()?;
        Ok(wait(py, || library.get_vm(name))?.map(VM::of))
    }

    /// All machines, in the order of their names. They may be dead.
    fn get_all_vms(&self, py: Python<'_>) -> PyResult<Vec<VM>> {
        let library = self.library()?;
        Ok(wait(py, || library.get_all_vms())?.into_iter().map(VM::of).collect())
    }

    /// The living machine called `name`: the one that there is, or else a new one, started from
    /// the params.
    fn get_living_vm(&self, py: Python<'_>, name: &str) -> PyResult<VM> {
        let library = self.library()?;
        wait(py, || library.get_living_vm(name)).map(VM::of)
    }

    /// The machine called `name` as the params (or `params`, instead of those of the environment)
    /// describe it; not started.
    #[pyo3(signature = (name, params = None))]
    fn define_vm(
        &self,
        py: Python<'_>,
        name: &str,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<VM> {
        self.define(py, name, params.map(Params::read).transpose()?)
    }

    /// Defines and starts the machine called `name`.
    #[pyo3(signature = (name, params = None))]
    fn create_vm(
        &self,
        py: Python<'_>,
        name: &str,
        params: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<VM> {
        let vm = self.define(py, name, params.map(Params::read).transpose()?)?;
        vm.start(py)?;
        Ok(vm)
    }

    /// Makes a started machine known. Starting one does so by itself.
    fn register_vm(&self, py: Python<'_>, vm: &Bound<'_, VM>) -> PyResult<()> {
        let library = self.library()?;
        let vm = vm.get().library()?;
        wait(py, || library.register_vm(vm))
    }

    /// Forgets the machine called `name`, which goes on living if it lives; says whether it was
    /// known.
    fn unregister_vm(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let library = self.library()?;
        wait(py, || library.unregister_vm(name))
    }

    /// Ends all machines of an environment that was made here, and removes its file. One that was
    /// opened is left as it is.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.env.get()?;
        wait(py, || inner.close())
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
        self.close(py)
    }

    fn __repr__(&self) -> String {
        let path = self.env.here().map_or("of another process", |env| env.library.path().as_str());
        format!("<Env {path}>")
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("Env"))
    }
}
