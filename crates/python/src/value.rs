//! Small values from Python: text, times, paths; and text back.

use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8PathBuf;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyString};

/// Bytes from a guest as text: UTF-8, and what is none by `surrogateescape`.
pub(crate) fn text<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(PyString::new(py, text)),
        Err(_) => Ok(PyBytes::new(py, bytes)
            .call_method1("decode", ("utf-8", "surrogateescape"))?
            .cast_into::<PyString>()?),
    }
}

/// What a shell prints, without the line ends at its end.
pub(crate) fn output<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let end = bytes.iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
    text(py, &bytes[..end])
}

/// `str` or `bytes` as bytes; what `surrogateescape` made of bytes is those bytes again.
pub(crate) struct Text(pub(crate) Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            if let Ok(text) = text.to_cow() {
                return Ok(Self(text.as_bytes().to_vec()));
            }
            let bytes = text.call_method1("encode", ("utf-8", "surrogateescape"))?;
            return Ok(Self(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.as_bytes().to_vec()));
        }
        if let Ok(bytes) = object.cast::<PyByteArray>() {
            return Ok(Self(bytes.to_vec()));
        }
        let kind = object.get_type().name()?;
        Err(PyTypeError::new_err(format!("text must be a str or bytes, not {kind}")))
    }
}

/// A time in seconds.
pub(crate) struct Seconds(pub(crate) Duration);

impl Seconds {
    /// The time that was given, or `default`.
    pub(crate) fn or(given: Option<Self>, default: Duration) -> Duration {
        given.map_or(default, |seconds| seconds.0)
    }
}

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Self::of(object.extract()?)
    }
}

impl Seconds {
    /// So many seconds.
    pub(crate) fn of(seconds: f64) -> PyResult<Self> {
        if seconds.is_nan() || seconds < 0.0 {
            let message = format!("a time is a number of seconds, 0 or more: {seconds}");
            return Err(PyValueError::new_err(message));
        }
        // What is too long to count is for ever.
        Ok(Self(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
    }
}

/// A path: `str` or anything that `os.fspath` takes.
pub(crate) struct FilePath(pub(crate) Utf8PathBuf);

impl<'py> FromPyObject<'_, 'py> for FilePath {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let path: PathBuf = object.extract()?;
        Utf8PathBuf::from_path_buf(path).map(Self).map_err(|path| {
            PyValueError::new_err(format!("a path must be UTF-8: {}", path.display()))
        })
    }
}
