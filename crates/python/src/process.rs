//! What concerns this process as a whole: its interrupt, its parent, its deadlines.

use kvmtest::{interrupt, stall};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, set_parent_process_death_signal};

use crate::error::raise;
use crate::signal;

/// Ends every present and coming wait of this process with `Interrupted`, until
/// `clear_interrupt()`. May be called in a signal handler.
#[pyfunction(name = "interrupt")]
pub(crate) fn request_interrupt() {
    interrupt::request();
}

/// Lets waits wait again: what cleans up after an interrupt has to wait, too.
#[pyfunction]
pub(crate) fn clear_interrupt() {
    interrupt::clear();
}

/// Whether `interrupt()` was called, and not taken back.
#[pyfunction]
pub(crate) fn is_interrupted() -> bool {
    interrupt::is_requested()
}

/// How many times as long as its timeout a wait may last on a host that is too busy; 4 unless
/// set, 1 for waits that heed the clock alone.
#[pyfunction]
pub(crate) fn set_stall_factor(factor: u32) -> PyResult<()> {
    if factor == 0 {
        return Err(PyValueError::new_err("the stall factor must be 1 or more: 0"));
    }
    stall::set_factor(factor);
    Ok(())
}

/// Lets the kernel kill this process when its parent ends. `pid` is the parent; if it has ended
/// by now, that is a `HostError`.
#[pyfunction]
pub(crate) fn die_with_parent(py: Python<'_>, pid: i32) -> PyResult<()> {
    let host = |message: String| raise(py, &kvmtest::Error::new(kvmtest::ErrorKind::Host, message));
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| host(error.to_string()))?;
    let parent = Some(pid).filter(|pid| *pid > 0).and_then(Pid::from_raw);
    // It may have ended before the kernel was told to look.
    match parent.map(|pid| pidfd_open(pid, PidfdFlags::empty())) {
        Some(Ok(_)) => Ok(()),
        _ => Err(host(format!("the parent (process {pid}) is gone"))),
    }
}

/// Gives the child of a fork an interrupt of its own.
#[pyfunction]
pub(crate) fn _after_fork() {
    signal::renew();
}

/// Panics, so that a test can see what becomes of a panic.
#[pyfunction]
pub(crate) fn _panic(message: &str) {
    panic!("{message}");
}
