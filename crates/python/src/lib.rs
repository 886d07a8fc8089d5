//! The module `kvmtest._kvmtest`: the library as Python sees it.
//!
//! Conversions only: what anything does is the library's. The package around it, in Python, is
//! `python/kvmtest`; what is public, and how it is called, is written in `_kvmtest.pyi` there.

mod boot;
mod cartesian;
mod doing;
mod env;
mod error;
mod json;
mod log;
mod migration;
mod monitor;
mod own;
mod params;
mod pattern;
mod process;
mod program;
mod session;
mod signal;
mod value;
mod vm;
mod wait;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The module.
#[pymodule]
mod _kvmtest {
    use super::{Bound, PyModule, PyResult, begin_module};
    #[pymodule_export]
    use crate::boot::default_params;
    #[pymodule_export]
    use crate::doing::{Doing, begin, listen_doing, listen_perturbed};
    #[pymodule_export]
    use crate::env::Env;
    #[pymodule_export]
    use crate::log::{log, start_log};
    #[pymodule_export]
    use crate::migration::Figures;
    #[pymodule_export]
    use crate::monitor::{Event, HumanMonitor, QMPMonitor};
    #[pymodule_export]
    use crate::params::{Origin, Params};
    #[pymodule_export]
    use crate::process::{
        _after_fork, _panic, clear_interrupt, die_with_parent, is_interrupted, request_interrupt,
        set_stall_factor,
    };
    #[pymodule_export]
    use crate::session::ShellSession;
    #[pymodule_export]
    use crate::vm::{Forked, StateOrigin, VM};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        begin_module(module)
    }
}

/// What goes with the module, once for each process that has it.
fn begin_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    cartesian::register(module)?;
    // What is public is said by the package.
    module.delattr("__all__")?;
    program::ask_the_package();
    let hooks = PyDict::new(module.py());
    hooks.set_item("after_in_child", module.getattr("_after_fork")?)?;
    PyModule::import(module.py(), "os")?.getattr("register_at_fork")?.call((), Some(&hooks))?;
    Ok(())
}
