//! The log of this process: everything that the library traces.

use std::fs::File;
use std::sync::Mutex;

use kvmtest::Context as _;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tracing_subscriber::fmt;

use crate::error::raise;
use crate::value::{FilePath, Text};

/// Appends everything that the library traces in this process, and what `log` says, to the file
/// `path`. Says whether that was begun: a process has one log.
#[pyfunction]
pub(crate) fn start_log(py: Python<'_>, path: FilePath) -> PyResult<bool> {
    let path = path.0;
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("opening the log {path}"))
        .map_err(|error| raise(py, &error))?;
    let subscriber = fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_target(false)
        .with_writer(Mutex::new(file))
        .finish();
    Ok(tracing::subscriber::set_global_default(subscriber).is_ok())
}

/// Says something in the log of this process; `level` is `debug`, `info`, `warning` or `error`.
#[pyfunction]
pub(crate) fn log(level: &str, message: Text) -> PyResult<()> {
    let message = String::from_utf8_lossy(&message.0);
    match level {
        "debug" => tracing::debug!(target: "python", "{message}"),
        "info" => tracing::info!(target: "python", "{message}"),
        "warning" => tracing::warn!(target: "python", "{message}"),
        "error" => tracing::error!(target: "python", "{message}"),
        _ => {
            let message = format!("a level is `debug`, `info`, `warning` or `error`: `{level}`");
            return Err(PyValueError::new_err(message));
        }
    }
    Ok(())
}
