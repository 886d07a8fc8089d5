//! `StateOrigin`: where a machine came from that did not boot.

use std::time::Duration;

use kvmtest::state;
use pyo3::prelude::*;

/// The state that a machine was started from.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct StateOrigin {
    origin: state::Origin,
}

impl StateOrigin {
    pub(crate) fn of(origin: state::Origin) -> Self {
        Self { origin }
    }
}

#[pymethods]
impl StateOrigin {
    /// Its name: `booted`.
    #[getter]
    fn name(&self) -> &str {
        &self.origin.name
    }

    /// Its digest: the name of its directory in the store.
    #[getter]
    fn digest(&self) -> &str {
        &self.origin.digest
    }

    /// How many seconds it took to make it, if it was not there.
    #[getter]
    fn built(&self) -> Option<f64> {
        self.origin.built.as_ref().map(Duration::as_secs_f64)
    }

    /// How many seconds it took to start from it, until the guest ran.
    #[getter]
    fn took(&self) -> f64 {
        self.origin.took.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<StateOrigin {} {:.12}>", self.origin.name, self.origin.digest)
    }
}
