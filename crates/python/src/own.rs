//! What belongs to the process that made it: a child of a fork has only a copy.

use std::mem::ManuallyDrop;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Something with descriptors, threads or a process behind it.
///
/// After a fork the child has the same descriptors, but none of the threads. To use it there would
/// mix two conversations; to drop it there would end the parent's. So it does neither.
pub(crate) struct Own<T> {
    thing: ManuallyDrop<T>,
    process: u32,
}

impl<T> Own<T> {
    pub(crate) fn new(thing: T) -> Self {
        Self { thing: ManuallyDrop::new(thing), process: std::process::id() }
    }

    /// The thing, in the process that made it.
    pub(crate) fn get(&self) -> PyResult<&T> {
        if self.is_here() {
            return Ok(&self.thing);
        }
        Err(PyRuntimeError::new_err(format!(
            "this belongs to the process {}, of which this one ({}) is a fork: open the \
             environment here by `Env.open(path)`",
            self.process,
            std::process::id()
        )))
    }

    /// The thing, if this is the process that made it.
    pub(crate) fn here(&self) -> Option<&T> {
        self.is_here().then_some(&self.thing)
    }

    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: it is dropped here only, and nobody can use it any more.
            unsafe { ManuallyDrop::drop(&mut self.thing) };
        }
    }
}
