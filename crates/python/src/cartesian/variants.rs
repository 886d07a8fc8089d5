//! Variants as dictionaries.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, TryLockError};

use kvmtest_cartesian::{Config, Variant};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::search::Search;
use super::strings::Strings;

/// The dictionaries of a configuration, one after another: what
/// `kvmtest.cartesian.Parser.get_dicts` gives back.
///
/// They are those of what was read when it was asked for; each is found when it is wanted, and
/// belongs to whoever gets it.
#[pyclass(frozen, module = "kvmtest._kvmtest")]
pub(crate) struct CartesianVariants {
    state: Mutex<State>,
}

struct State {
    /// Nothing, when everything was found.
    search: Option<Search>,
    found: VecDeque<Variant>,
    strings: Strings,
}

impl CartesianVariants {
    pub(crate) fn new(config: Config) -> Self {
        let search = Some(Search::new(config));
        let state = State { search, found: VecDeque::new(), strings: Strings::default() };
        Self { state: Mutex::new(state) }
    }
}

#[pymethods]
impl CartesianVariants {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.lock()?.next(py)
    }

    /// Ends it: there are no more dictionaries afterwards.
    fn close(&self) -> PyResult<()> {
        let mut state = self.lock()?;
        state.search = None;
        state.found.clear();
        Ok(())
    }
}

impl CartesianVariants {
    fn lock(&self) -> PyResult<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(state)) => Ok(state.into_inner()),
            // To wait for it would be to hold the interpreter that the other may have to ask for.
            Err(TryLockError::WouldBlock) => {
                let message = "another thread is looking for the next variant already";
                Err(PyValueError::new_err(message))
            }
        }
    }
}

impl State {
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.found.is_empty() {
            self.look(py)?;
        }
        let Some(variant) = self.found.pop_front() else { return Ok(None) };
        self.dictionary(py, &variant).map(Some)
    }

    fn look(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(search) = &mut self.search else { return Ok(()) };
        let batch = search.batch(py);
        if !batch.as_ref().is_ok_and(|found| !found.is_empty()) {
            self.search = None;
        }
        self.found = batch?.into();
        Ok(())
    }

    fn dictionary<'py>(
        &mut self,
        py: Python<'py>,
        variant: &Variant,
    ) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        all.set_item(intern!(py, "name"), variant.name())?;
        all.set_item(intern!(py, "dep"), PyList::new(py, variant.deps())?)?;
        all.set_item(intern!(py, "shortname"), variant.shortname())?;
        let mut files = variant.name_map().peekable();
        if files.peek().is_some() {
            let (long, short) = (PyDict::new(py), PyDict::new(py));
            for (file, name, shortname) in files {
                long.set_item(file, name)?;
                short.set_item(file, shortname)?;
            }
            all.set_item(intern!(py, "_name_map_file"), long)?;
            all.set_item(intern!(py, "_short_name_map_file"), short)?;
        }
        for pieces in variant.pieces() {
            let (key, value) = self.strings.pair(py, pieces);
            all.set_item(key, value)?;
        }
        Ok(all)
    }
}
