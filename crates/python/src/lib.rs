//! The module `kvmtest._kvmtest`: the library as Python sees it.
//!
//! Conversions only: what anything does is the library's. The package around it, in Python, is
//! `python/kvmtest`; what is public, and how it is called, is written in `_kvmtest.pyi` there.

mod cartesian;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The module.
#[pymodule]
fn _kvmtest(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    cartesian::register(module)?;
    for name in TO_COME {
        module.add(name, module.py().get_type::<PyDict>())?;
    }
    Ok(())
}

const TO_COME: [&str; 18] = [
    "VM",
    "Doing",
    "Env",
    "Event",
    "HumanMonitor",
    "Origin",
    "Params",
    "QMPMonitor",
    "ShellSession",
    "clear_interrupt",
    "die_with_parent",
    "doing",
    "interrupt",
    "is_interrupted",
    "listen_doing",
    "log",
    "set_stall_factor",
    "start_log",
];
