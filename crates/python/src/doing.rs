//! What a thread is busy with, told and listened to from Python.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use kvmtest::{doing, perturb};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::signal;

/// Something that is being done, from the beginning of a `with` block to its end.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct Doing {
    what: String,
    begun: Mutex<Vec<(ThreadId, doing::Doing)>>,
}

/// Says what this thread is doing during a `with` block: `with kvmtest.doing("rebooting vm1"):`.
/// It is told when it takes more than a second; see `listen_doing`.
#[pyfunction]
#[pyo3(name = "doing")]
pub(crate) fn begin(what: String) -> Doing {
    Doing { what, begun: Mutex::default() }
}

/// Calls `listener` on this thread with what it is doing, outermost first, whenever that has taken
/// a second and is still going on, and with what is left of it once that is over. `None` ends it.
/// What the listener raises ends the wait that it was called from.
#[pyfunction]
#[pyo3(signature = (listener))]
pub(crate) fn listen_doing(listener: Option<Py<PyAny>>) {
    let Some(listener) = listener else { return doing::listen_no_more() };
    doing::listen(move |what| {
        let told = Python::attach(|py| listener.call1(py, (what,)).map(drop));
        if let Err(error) = told {
            signal::raise_in_wait(error);
        }
    });
}

/// Calls `listener` with the kind (`migrate`), and a line about it, of whatever is done to a machine at a checkpoint of the test, on
/// whatever thread that is (see `--perturb`). `None` ends it. What the listener raises is lost.
#[pyfunction]
#[pyo3(signature = (listener))]
pub(crate) fn listen_perturbed(listener: Option<Py<PyAny>>) {
    let Some(listener) = listener else { return perturb::listen_no_more() };
    perturb::listen(move |done| {
        let told = (done.kind.word(), done.to_string());
        let _ = Python::attach(|py| listener.call1(py, told).map(drop));
    });
}

#[pymethods]
impl Doing {
    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        let this = slf.get();
        let begun = doing::begin(this.what.clone());
        this.begun().push((thread::current().id(), begun));
        slf.clone()
    }

    #[pyo3(signature = (_kind, _error, _traceback, /))]
    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let last = self.begun().pop();
        match last {
            Some((thread, begun)) if thread == thread::current().id() => drop(begun),
            Some((_, begun)) => {
                // It is on the list of another thread.
                std::mem::forget(begun);
                return Err(PyRuntimeError::new_err(format!("`{}` began elsewhere", self.what)));
            }
            None => {}
        }
        signal::raised().map_or(Ok(()), Err)
    }
}

impl Doing {
    fn begun(&self) -> std::sync::MutexGuard<'_, Vec<(ThreadId, doing::Doing)>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
