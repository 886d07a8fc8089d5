//! Migration: what is asked for, and how far it is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kvmtest::Vm;
use kvmtest::migration::{self, Choice, Compression};
use kvmtest::vm::{MigrateOptions, Protocol};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::json;
use crate::value::Seconds;
use crate::wait::attempt;

/// How far a migration is, or what it came to. Sizes are bytes, times seconds.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct Figures {
    figures: migration::Figures,
}

#[pymethods]
impl Figures {
    /// `setup`, `active`, `completed`, …, as QEMU says it.
    #[getter]
    fn status(&self) -> &str {
        &self.figures.status
    }

    /// The guest's memory.
    #[getter]
    fn total(&self) -> u64 {
        self.figures.total
    }

    /// What was sent.
    #[getter]
    fn transferred(&self) -> u64 {
        self.figures.transferred
    }

    /// Memory that is left to be sent.
    #[getter]
    fn remaining(&self) -> u64 {
        self.figures.remaining
    }

    /// Bytes a second that are being sent.
    #[getter]
    fn rate(&self) -> u64 {
        self.figures.rate
    }

    /// Bytes of memory a second that the guest changes.
    #[getter]
    fn dirty_rate(&self) -> u64 {
        self.figures.dirty_rate
    }

    /// How long the guest stood still, once it is over; what QEMU expects before.
    #[getter]
    fn downtime(&self) -> Option<f64> {
        self.figures.downtime.map(|time| time.as_secs_f64())
    }

    /// How long it takes, or took, in all.
    #[getter]
    fn total_time(&self) -> Option<f64> {
        self.figures.total_time.map(|time| time.as_secs_f64())
    }

    /// How long preparing it took.
    #[getter]
    fn setup_time(&self) -> Option<f64> {
        self.figures.setup_time.map(|time| time.as_secs_f64())
    }

    /// How many times the memory was gone through.
    #[getter]
    fn passes(&self) -> u64 {
        self.figures.passes
    }

    /// Whether the guest runs at the destination already.
    #[getter]
    fn postcopy(&self) -> bool {
        self.figures.postcopy
    }

    /// Why it failed, in QEMU's words.
    #[getter]
    fn error(&self) -> Option<&str> {
        self.figures.error.as_deref()
    }

    fn __repr__(&self) -> String {
        format!("<Figures {}: {}>", self.figures.status, self.figures)
    }
}

/// How a machine is to be migrated, as Python says it.
pub(crate) struct Asked<'a> {
    pub(crate) protocol: &'a str,
    pub(crate) offline: Option<bool>,
    pub(crate) cancel_after: Option<f64>,
    pub(crate) bandwidth: Option<&'a Bound<'a, PyAny>>,
    pub(crate) downtime: Option<f64>,
    pub(crate) capabilities: Option<&'a Bound<'a, PyAny>>,
    pub(crate) parameters: Option<&'a Bound<'a, PyAny>>,
    pub(crate) timeout: Option<f64>,
}

impl Asked<'_> {
    /// Migrates `vm`. What `on_progress` raises cancels it, and is raised.
    pub(crate) fn migrate(
        self,
        py: Python<'_>,
        vm: &Vm,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Figures> {
        let options = self.options()?;
        if let Some(listener) = on_progress.as_ref().map(|listener| listener.bind(py))
            && !listener.is_callable()
        {
            let message = format!("`on_progress` must be a function: {}", listener.repr()?);
            return Err(PyTypeError::new_err(message));
        }
        let raised = Mutex::new(None);
        let look = |figures: &migration::Figures| {
            let Some(listener) = &on_progress else { return Choice::GoOn };
            Python::attach(|py| ask(py, listener, figures)).unwrap_or_else(|error| {
                raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                Choice::Cancel
            })
        };
        let moved = attempt(py, || vm.migrate_with(&options, look))?;
        if let Some(error) = raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        match moved {
            Ok(figures) => Ok(Figures { figures }),
            Err(error) => Err(crate::error::raise(py, &error)),
        }
    }

    fn options(self) -> PyResult<MigrateOptions> {
        let mut options = MigrateOptions::by(self.protocol.parse::<Protocol>().map_err(wrong)?);
        options.offline = self.offline;
        options.cancel_after = seconds("cancel_after", self.cancel_after)?;
        let settings = &mut options.settings;
        settings.bandwidth = self.bandwidth.map(rate).transpose()?;
        settings.downtime = seconds("downtime", self.downtime)?;
        if let Some(timeout) = seconds("timeout", self.timeout)? {
            settings.timeout = timeout;
        }
        settings.capabilities = entries("capabilities", self.capabilities, |place, value| {
            value.extract::<bool>().map_err(|_| mistyped(place, "`True` or `False`", value))
        })?;
        settings.parameters = entries("parameters", self.parameters, |place, value| {
            json::from_python_at(value, place)
        })?;
        Ok(options)
    }
}

/// How a file is made smaller.
pub(crate) fn compression(text: &str) -> PyResult<Compression> {
    match text {
        "none" => Ok(Compression::None),
        "gzip" => Ok(Compression::Gzip),
        _ => Err(PyValueError::new_err(format!("a compression is `none` or `gzip`: `{text}`"))),
    }
}

fn ask(py: Python<'_>, listener: &Py<PyAny>, figures: &migration::Figures) -> PyResult<Choice> {
    let said = listener.call1(py, (Figures { figures: figures.clone() },))?;
    if said.is_none(py) {
        return Ok(Choice::GoOn);
    }
    match said.extract::<String>(py).as_deref() {
        Ok("cancel") => Ok(Choice::Cancel),
        Ok("postcopy") => Ok(Choice::Postcopy),
        _ => Err(PyValueError::new_err(format!(
            "`on_progress` returns `None`, \"cancel\" or \"postcopy\": {}",
            said.bind(py).repr()?
        ))),
    }
}

/// The time that the argument `name` is.
fn seconds(name: &str, given: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(number) = given else { return Ok(None) };
    let Seconds(time) = Seconds::of(number).map_err(|_| {
        let message = format!("`{name}` must be a number of seconds, 0 or more: {number}");
        PyValueError::new_err(message)
    })?;
    Ok(Some(time))
}

/// How many bytes a second.
fn rate(given: &Bound<'_, PyAny>) -> PyResult<u64> {
    given.extract::<u64>().map_err(|error| {
        if !error.is_instance_of::<PyOverflowError>(given.py()) {
            return mistyped("bandwidth", "a whole number of bytes a second", given);
        }
        let message = format!(
            "`bandwidth` must be a number of bytes a second from 0 to {}: {}",
            u64::MAX,
            shown(given)
        );
        PyValueError::new_err(message)
    })
}

/// What the argument `argument` says by name.
fn entries<T>(
    argument: &str,
    mapping: Option<&Bound<'_, PyAny>>,
    read: impl Fn(&str, &Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<(String, T)>> {
    let Some(mapping) = mapping else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    let items = mapping
        .cast::<PyMapping>()
        .map_err(|_| mistyped(argument, "a mapping of names to values", mapping))?
        .items()?;
    for entry in items.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry?.extract()?;
        let name: String = name
            .extract()
            .map_err(|_| mistyped(argument, "a mapping of names to values", mapping))?;
        let value = read(&format!("{argument}[{name}]"), &value)?;
        entries.push((name, value));
    }
    Ok(entries)
}

/// The error for a value of the argument `place` that is of another kind than `wanted`.
fn mistyped(place: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    PyTypeError::new_err(format!("`{place}` must be {wanted}: {}", shown(value)))
}

fn shown(value: &Bound<'_, PyAny>) -> String {
    value.repr().map_or_else(|_| "what has no words".to_owned(), |text| text.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn wrong(error: kvmtest::Error) -> PyErr {
    PyValueError::new_err(error.message().to_owned())
}
