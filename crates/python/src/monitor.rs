//! QEMU's monitors.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use kvmtest::monitor;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::Value;

use crate::error::unpicklable;
use crate::json;
use crate::own::Own;
use crate::value::Seconds;
use crate::wait::wait;

/// How long a command may take where nothing else is said.
const COMMAND: Duration = Duration::from_secs(20);
/// How long an answer is waited for where only that is the question.
const ANSWER: Duration = Duration::from_secs(5);
/// How long an event is waited for where nothing else is said.
const EVENT: Duration = Duration::from_secs(60);

/// A connection to QEMU's machine protocol. Commands of several threads may be under way at once.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct QMPMonitor {
    monitor: Own<Arc<monitor::QmpMonitor>>,
}

/// QEMU's monitor for people: commands as a person types them (`info status`).
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct HumanMonitor {
    monitor: Own<Arc<monitor::QmpMonitor>>,
}

/// Something that QEMU reported by itself.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct Event {
    event: monitor::Event,
}

impl QMPMonitor {
    pub(crate) fn of(monitor: Arc<monitor::QmpMonitor>) -> Self {
        Self { monitor: Own::new(monitor) }
    }
}

impl HumanMonitor {
    pub(crate) fn of(monitor: Arc<monitor::QmpMonitor>) -> Self {
        Self { monitor: Own::new(monitor) }
    }
}

#[pymethods]
impl QMPMonitor {
    /// The monitor's name.
    #[getter]
    fn name(&self) -> PyResult<&str> {
        Ok(self.monitor.get()?.name())
    }

    /// What QEMU said first: its version and its capabilities.
    #[getter]
    fn greeting<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, self.monitor.get()?.greeting())
    }

    /// Executes `command` and gives back what it returns.
    ///
    /// The arguments are a mapping, or keywords, or both: `cmd("device_del", id="disk1")`. It may
    /// take 20 seconds, or `timeout`. What QEMU refuses is a `MonitorCommandError`, no answer a
    /// `MonitorTimeoutError`.
    #[pyo3(signature = (command, arguments = None, timeout = None, **more))]
    fn cmd<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        arguments: Option<Bound<'py, PyAny>>,
        timeout: Option<Seconds>,
        more: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let monitor = self.monitor.get()?;
        let arguments = arguments_of(arguments, more)?;
        let timeout = Seconds::or(timeout, COMMAND);
        let answer = wait(py, || monitor.cmd_timeout(command, arguments, timeout))?;
        json::to_python(py, &answer)
    }

    /// Sends `line` as it is and gives back the whole answer, errors included; for tests of the
    /// protocol itself. The answer must not carry an `id` that is a string.
    fn cmd_raw<'py>(&self, py: Python<'py>, line: &str) -> PyResult<Bound<'py, PyAny>> {
        let monitor = self.monitor.get()?;
        json::to_python(py, &wait(py, || monitor.cmd_raw(line))?)
    }

    /// Executes a command of the monitor for people and gives back what it printed.
    fn human(&self, py: Python<'_>, command_line: &str) -> PyResult<String> {
        let monitor = self.monitor.get()?;
        wait(py, || monitor.human(command_line))
    }

    /// `running`, `paused`, `shutdown`, `guest-panicked`, …
    fn status(&self, py: Python<'_>) -> PyResult<String> {
        let monitor = self.monitor.get()?;
        wait(py, || monitor.status())
    }

    /// Whether QEMU answers within `timeout` (5 seconds unless given).
    #[pyo3(signature = (timeout = None))]
    fn is_responsive(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<bool> {
        let monitor = self.monitor.get()?;
        let timeout = Seconds::or(timeout, ANSWER);
        wait(py, || Ok(monitor.is_responsive(timeout)))
    }

    /// The events that nobody has taken yet, oldest first. They stay.
    fn events(&self) -> PyResult<Vec<Event>> {
        let events = self.monitor.get()?.events();
        Ok(events.into_iter().map(|event| Event { event }).collect())
    }

    /// The oldest event called `name` that nobody has taken yet, or `None`. It stays.
    fn event(&self, name: &str) -> PyResult<Option<Event>> {
        Ok(self.monitor.get()?.event(name).map(|event| Event { event }))
    }

    /// Takes the oldest event called `name` (or one of several names), waiting for it if there is
    /// none: for 60 seconds unless `timeout` is given. None in time is a `MonitorTimeoutError`.
    #[pyo3(signature = (name, timeout = None))]
    fn wait_event(
        &self,
        py: Python<'_>,
        name: &Bound<'_, PyAny>,
        timeout: Option<Seconds>,
    ) -> PyResult<Event> {
        let monitor = self.monitor.get()?;
        let names: Vec<String> = match name.cast::<PyString>() {
            Ok(name) => vec![name.to_cow()?.into_owned()],
            Err(_) => name.extract()?,
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let timeout = Seconds::or(timeout, EVENT);
        Ok(Event { event: wait(py, || monitor.wait_any_event(&names, timeout))? })
    }

    /// Forgets all events so far.
    fn clear_events(&self) -> PyResult<()> {
        self.monitor.get()?.clear_events();
        Ok(())
    }

    fn __repr__(&self) -> String {
        described("QMPMonitor", &self.monitor)
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("QMPMonitor"))
    }
}

#[pymethods]
impl HumanMonitor {
    /// The name of the QMP monitor through which it is spoken to.
    #[getter]
    fn name(&self) -> PyResult<&str> {
        Ok(self.monitor.get()?.name())
    }

    /// What `command_line` prints. This monitor has no notion of failure: what it prints may be
    /// an error message.
    fn cmd(&self, py: Python<'_>, command_line: &str) -> PyResult<String> {
        let monitor = self.monitor.get()?;
        wait(py, || monitor.human(command_line))
    }

    /// What `info WHAT` prints.
    fn info(&self, py: Python<'_>, what: &str) -> PyResult<String> {
        self.cmd(py, &format!("info {what}"))
    }

    fn __repr__(&self) -> String {
        described("HumanMonitor", &self.monitor)
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("HumanMonitor"))
    }
}

#[pymethods]
impl Event {
    /// `SHUTDOWN`, `RESET`, `GUEST_PANICKED`, …
    #[getter]
    fn name(&self) -> &str {
        &self.event.name
    }

    /// What comes with it; `None` where nothing does.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, &self.event.data)
    }

    /// When it happened, by QEMU's clock: seconds since 1970, as `time.time()` counts them.
    #[getter]
    fn time(&self) -> f64 {
        self.event.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<Event {} {}>", self.event.name, self.event.data)
    }
}

fn described(class: &str, monitor: &Own<Arc<monitor::QmpMonitor>>) -> String {
    let name = monitor.here().map_or("of another process", |monitor| monitor.name());
    format!("<{class} {name}>")
}

fn arguments_of(
    arguments: Option<Bound<'_, PyAny>>,
    more: Option<&Bound<'_, PyDict>>,
) -> PyResult<Value> {
    let mut value = match arguments {
        Some(arguments) => json::from_python(&arguments)?,
        None => Value::Null,
    };
    if !matches!(value, Value::Null | Value::Object(_)) {
        return Err(PyTypeError::new_err("the arguments of a command must be a mapping"));
    }
    if let Some(more) = more {
        for (key, one) in more {
            value[key.extract::<String>()?] = json::from_python(&one)?;
        }
    }
    Ok(value)
}
