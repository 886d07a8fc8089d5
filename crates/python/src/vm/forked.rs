//! `Forked`: what a fork cost.

use kvmtest::vm;
use pyo3::prelude::*;

/// What a fork cost.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct Forked {
    forked: vm::Forked,
}

impl Forked {
    pub(crate) fn of(forked: vm::Forked) -> Self {
        Self { forked }
    }
}

#[pymethods]
impl Forked {
    /// For how many seconds no machine ran.
    #[getter]
    fn pause(&self) -> f64 {
        self.forked.pause.as_secs_f64()
    }

    /// Whether the machines share the memory that none of them has written to since. Otherwise
    /// each was given a copy, because the params want a memory of another kind.
    #[getter]
    fn shares(&self) -> bool {
        self.forked.shares
    }

    /// Whether the memory had first to be moved to where it can be shared.
    #[getter]
    fn moved(&self) -> bool {
        self.forked.moved
    }

    fn __repr__(&self) -> String {
        let truth = |it| if it { "True" } else { "False" };
        format!(
            "<Forked pause={:.3} shares={} moved={}>",
            self.pause(),
            truth(self.shares()),
            truth(self.moved())
        )
    }
}
