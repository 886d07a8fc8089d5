//! Errors of the library as exceptions of the package.

use kvmtest::{Error, ErrorKind};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};

/// The exception that `error` is.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error, None, false)
}

/// The exception for a key of params that is not set: also a `KeyError`.
pub(crate) fn raise_missing(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error, None, true)
}

/// The exception for a command that ended with `status`.
pub(crate) fn raise_status(py: Python<'_>, error: &Error, status: i32) -> PyErr {
    exception(py, error, Some(status), false)
}

/// The exception for an attempt to pickle or to copy what belongs to a process.
pub(crate) fn unpicklable(class: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "a {class} cannot be pickled or copied: it belongs to the process that made it (another \
         process finds the machines of an environment by `Env.open(path)`)"
    ))
}

fn exception(py: Python<'_>, error: &Error, status: Option<i32>, is_missing_key: bool) -> PyErr {
    let kind = word(error.kind());
    build(py, error, &kind, status, is_missing_key).unwrap_or_else(|meanwhile| {
        // The package is broken, or the interpreter on its way out: the words are what counts.
        drop(meanwhile);
        PyRuntimeError::new_err(error.to_string())
    })
}

fn build(
    py: Python<'_>,
    error: &Error,
    kind: &str,
    status: Option<i32>,
    is_missing_key: bool,
) -> PyResult<PyErr> {
    static OF_KIND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = OF_KIND.import(py, "kvmtest.errors", "_of_kind")?.call1((kind, is_missing_key))?;
    let details = PyDict::new(py);
    details.set_item("kind", kind)?;
    details.set_item("contexts", error.contexts().collect::<Vec<_>>())?;
    details.set_item("output", error.output().map(|output| PyBytes::new(py, output)))?;
    details.set_item("status", status)?;
    Ok(PyErr::from_value(class.call((message(error),), Some(&details))?))
}

/// The message, and what caused it.
fn message(error: &Error) -> String {
    let mut message = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

/// The kind in one word: `login-timeout`.
fn word(kind: ErrorKind) -> String {
    let value = serde_json::to_value(kind).ok();
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_else(|| "error".to_owned())
}
