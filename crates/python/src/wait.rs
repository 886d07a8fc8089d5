//! How a method that may wait calls the library: without the interpreter's lock, and such that a
//! signal ends it.

use std::cell::Cell;

use kvmtest::Result;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::raise;
use crate::signal;

thread_local! {
    static WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` without the interpreter's lock; its error is raised.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    attempt(py, work)?.map_err(|error| raise(py, &error))
}

/// The same, with the library's error for the caller to look at; what a signal raised is raised.
pub(crate) fn attempt<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<Result<T>> {
    let _waiting = Waiting::begin()?;
    let armed = signal::arm(py)?;
    let result = py.detach(work);
    match armed.disarm(&result) {
        Some(error) => Err(error),
        None => Ok(result),
    }
}

/// This thread is in a wait.
struct Waiting;

impl Waiting {
    fn begin() -> PyResult<Self> {
        if WAITING.replace(true) {
            return Err(PyRuntimeError::new_err(
                "this thread is in a wait already: a signal handler or a listener that is called \
                 from it cannot wait itself, but it can raise, which ends the wait",
            ));
        }
        Ok(Self)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.set(false);
    }
}
