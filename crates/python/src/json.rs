//! JSON from and to Python.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyNone, PyString, PyTuple};
use serde_json::{Map, Number, Value};

/// No monitor command comes near; what does contains itself.
const DEEPEST: usize = 100;

/// `value` as `None`, `bool`, `int`, `float`, `str`, `list` or `dict`.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => PyNone::get(py).to_owned().into_any(),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::Number(number) => number_to_python(py, number)?,
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(key, to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// What `object` is as JSON; an error says where in it there is something that JSON has not.
pub(crate) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    from_python_at(object, "arguments")
}

/// The same for an object that errors call `place`.
pub(crate) fn from_python_at(object: &Bound<'_, PyAny>, place: &str) -> PyResult<Value> {
    convert(object, place, DEEPEST)
}

fn number_to_python<'py>(py: Python<'py>, number: &Number) -> PyResult<Bound<'py, PyAny>> {
    if let Some(number) = number.as_i64() {
        return Ok(PyInt::new(py, number).into_any());
    }
    if let Some(number) = number.as_u64() {
        return Ok(PyInt::new(py, number).into_any());
    }
    let number = number.as_f64().ok_or_else(|| PyValueError::new_err("a number beyond JSON"))?;
    Ok(PyFloat::new(py, number).into_any())
}

fn convert(object: &Bound<'_, PyAny>, place: &str, depth: usize) -> PyResult<Value> {
    if depth == 0 {
        let message = format!("more than {DEEPEST} levels deep: does it contain itself?");
        return Err(PyValueError::new_err(message));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    // Before the integers: a `bool` is one.
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::String(text.to_cow()?.into_owned()));
    }
    if object.is_instance_of::<PyInt>() {
        let number = object.extract::<i64>().map(Number::from);
        let number = number.or_else(|_| object.extract::<u64>().map(Number::from));
        return number.map(Value::Number).map_err(|_| {
            PyValueError::new_err(format!("`{place}` has more than 64 bits: {object}"))
        });
    }
    if object.is_instance_of::<PyFloat>() {
        let number = Number::from_f64(object.extract()?);
        return number.map(Value::Number).ok_or_else(|| {
            PyValueError::new_err(format!("`{place}` is no number that JSON has: {object}"))
        });
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let mut items = Vec::new();
        for (index, item) in object.try_iter()?.enumerate() {
            items.push(convert(&item?, &format!("{place}[{index}]"), depth - 1)?);
        }
        return Ok(Value::Array(items));
    }
    if let Ok(mapping) = object.cast::<PyMapping>() {
        let mut entries = Map::new();
        for entry in mapping.items()?.try_iter()? {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry?.extract()?;
            let key: String = key.extract().map_err(|_| {
                PyTypeError::new_err(format!("a key in `{place}` must be a str: {key}"))
            })?;
            let value = convert(&value, &format!("{place}.{key}"), depth - 1)?;
            entries.insert(key, value);
        }
        return Ok(Value::Object(entries));
    }
    let kind = object.get_type().name()?;
    Err(PyTypeError::new_err(format!("`{place}` cannot be JSON: it is a {kind}")))
}
