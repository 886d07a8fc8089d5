//! The configuration language: `kvmtest.cartesian` is made of this.

mod diagnosis;
mod files;

mod reader;
mod search;
mod strings;
mod variants;

use pyo3::prelude::*;

/// Adds what the package needs of the language to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<reader::CartesianReader>()?;
    module.add_class::<variants::CartesianVariants>()
}
