//! What params keep of a key or a value.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

/// A key as text.
pub(super) fn key_text(key: &Bound<'_, PyAny>) -> PyResult<String> {
    match key.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => {
            Err(PyTypeError::new_err(format!("a key of params must be a str: {}", key.repr()?)))
        }
    }
}

/// The text that params keep for a value.
pub(super) fn value_text(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_cow()?.into_owned());
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(if truth.is_true() { "yes" } else { "no" }.to_owned());
    }
    if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        return Ok(value.str()?.to_cow()?.into_owned());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items: Vec<String> =
            value.try_iter()?.map(|item| value_text(key, &item?)).collect::<PyResult<_>>()?;
        return Ok(items.join(" "));
    }
    if value.hasattr("__fspath__")? {
        let path: std::path::PathBuf = value.extract()?;
        return Ok(path.to_str().unwrap_or_default().to_owned());
    }
    let kind = value.get_type().name()?;
    Err(PyTypeError::new_err(format!("`{}` cannot be kept as text: it is a {kind}", key.str()?)))
}
