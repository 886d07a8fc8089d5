//! What a machine needs that nobody has a configuration for.

use kvmtest::Params;
use kvmtest_cartesian::{NoInclude, Parser, Source, Variant};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::params;

/// The params that every test starts from, with those that are given: what `VM.boot` uses, to be
/// changed or handed to an `Env`.
#[pyfunction]
#[pyo3(signature = (**params))]
pub(crate) fn default_params(params: Option<&Bound<'_, PyDict>>) -> PyResult<params::Params> {
    let mut all = base();
    for (key, value) in
        params.map(|given| params::Params::read(given)).transpose()?.iter().flat_map(Params::values)
    {
        all.insert(key, value.clone());
    }
    Ok(params::Params::of(all))
}

/// The params that every test starts from: `configs/base.cfg`, as it was when this was built.
pub(crate) fn base() -> Params {
    const NAME: &str = "base.cfg";
    let mut parser = Parser::new();
    let source = Source::new(NAME, include_str!("../../../configs/base.cfg"));
    parser.parse(source, &mut NoInclude);
    let (config, _) = parser.finish();
    let first = config.variants().next();
    first.iter().flat_map(Variant::params).collect()
}
