//! Texts that Python has already.

use kvmtest_cartesian::Piece;
use pyo3::prelude::*;
use pyo3::types::PyString;
use rustc_hash::FxHashMap;

/// Keys and values that were handed to Python before: each is made once, and shared by all
/// dictionaries of an iterator.
#[derive(Default)]
pub(crate) struct Strings {
    keys: Vec<Option<Py<PyString>>>,
    values: FxHashMap<u64, Py<PyString>>,
}

impl Strings {
    pub(crate) fn key<'py>(&mut self, py: Python<'py>, key: Piece) -> Bound<'py, PyString> {
        // Whoever looks a key up writes it as a literal, and literals are interned.
        let new = || PyString::intern(py, key.text);
        let Some(number) = key.number.and_then(|number| usize::try_from(number).ok()) else {
            return new();
        };
        if self.keys.len() <= number {
            self.keys.resize_with(number + 1, || None);
        }
        self.keys[number].get_or_insert_with(|| new().unbind()).bind(py).clone()
    }

    pub(crate) fn value<'py>(&mut self, py: Python<'py>, value: Piece) -> Bound<'py, PyString> {
        let new = || PyString::new(py, value.text);
        let Some(number) = value.number else { return new() };
        self.values.entry(number).or_insert_with(|| new().unbind()).bind(py).clone()
    }
}
