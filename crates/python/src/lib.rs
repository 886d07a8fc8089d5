//! The module `kvmtest._kvmtest`: the library as Python sees it.
//!
//! Conversions only: what anything does is the library's. The package around it, in Python, is
//! `python/kvmtest`; what is public, and how it is called, is written in `_kvmtest.pyi` there.

mod cartesian;

use pyo3::prelude::*;

/// The module.
#[pymodule]
fn _kvmtest(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    cartesian::register(module)?;
    Ok(())
}
