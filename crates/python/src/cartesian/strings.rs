//! Texts that Python has already.

use kvmtest_cartesian::Piece;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rustc_hash::FxHashMap;

/// Keys and values that were handed to Python before: each is made once, and shared by all
/// dictionaries of an iterator.
#[derive(Default)]
pub(crate) struct Strings {
    /// By their numbers, which are small.
    keys: Vec<Option<Py<PyString>>>,
    values: FxHashMap<u64, Py<PyString>>,
    /// Those of this moment that nobody will ask for again.
    passing: [Option<Py<PyString>>; 2],
}

impl Strings {
    pub(crate) fn pair<'a, 'py>(
        &'a mut self,
        py: Python<'py>,
        (key, value): (Piece, Piece),
    ) -> (&'a Bound<'py, PyString>, &'a Bound<'py, PyString>) {
        let Self { keys, values, passing: [passing_key, passing_value] } = self;
        // Whoever looks a key up writes it as a literal, and literals are interned.
        let new_key = || PyString::intern(py, key.text).unbind();
        let key = match key.number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) => {
                if keys.len() <= number {
                    keys.resize_with(number + 1, || None);
                }
                keys[number].get_or_insert_with(new_key)
            }
            None => passing_key.insert(new_key()),
        };
        let new_value = || PyString::new(py, value.text).unbind();
        let value = match value.number {
            Some(number) => values.entry(number).or_insert_with(new_value),
            None => passing_value.insert(new_value()),
        };
        (key.bind(py), value.bind(py))
    }
}
