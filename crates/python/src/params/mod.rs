//! `Params`: a mapping of strings, with getters that check.

mod text;

use std::sync::{Mutex, MutexGuard, PoisonError};

use kvmtest::{Error, ErrorKind, params};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyList, PyMapping, PyString, PyTuple};

use crate::error::{raise, raise_missing};
use text::{key_text, value_text};

/// The parameters of a test, or of one of its objects: a mapping of strings, in the order in which
/// the keys were first set.
///
/// `Params(mapping_or_pairs, **more)` makes one. What is set is kept as text: `True` is `yes`,
/// `False` is `no`, numbers are as they are written, and a list is its items with blanks between
/// them. A key that is not set is a `ParamMissingError`, which is a `KeyError`.
#[pyclass(frozen, mapping, module = "kvmtest")]
pub(crate) struct Params {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    params: params::Params,
    /// Counts the changes.
    version: u64,
}

/// A place in a configuration file: who set a value.
#[pyclass(frozen, eq, hash, module = "kvmtest")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    /// The file, as it was named.
    #[pyo3(get)]
    file: String,
    /// The line, counted from 1.
    #[pyo3(get)]
    line: u32,
}

impl Params {
    pub(crate) fn of(params: params::Params) -> Self {
        Self { inner: Mutex::new(Inner { params, version: 0 }) }
    }

    /// The params as they are now.
    pub(crate) fn snapshot(&self) -> params::Params {
        self.inner().params.clone()
    }

    /// The params, if they were changed since they had the version `seen`, which is brought up to
    /// date.
    pub(crate) fn changed_since(&self, seen: &mut u64) -> Option<params::Params> {
        let inner = self.inner();
        if inner.version == *seen {
            return None;
        }
        *seen = inner.version;
        Some(inner.params.clone())
    }

    /// What `object` (a mapping, or pairs of keys and values) says.
    pub(crate) fn read(object: &Bound<'_, PyAny>) -> PyResult<params::Params> {
        if let Ok(other) = object.cast::<Self>() {
            return Ok(other.get().snapshot());
        }
        let mut params = params::Params::new();
        for pair in pairs(object)?.try_iter()? {
            let (key, value) = pair?.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            params.set(key_text(&key)?, value_text(&key, &value)?);
        }
        Ok(params)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut params::Params) -> T) -> T {
        let mut inner = self.inner();
        inner.version += 1;
        change(&mut inner.params)
    }

    fn keys_now(&self) -> Vec<String> {
        self.inner().params.iter().map(|(key, _)| key.to_owned()).collect()
    }

    /// By a getter of the library; `default` only where the key is not set.
    fn typed<'py, T: IntoPyObject<'py>>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
        get: impl FnOnce(&params::Params, &str) -> kvmtest::Result<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let result = {
            let inner = self.inner();
            match (inner.params.find(key), default) {
                (None, Some(default)) => return Ok(default),
                (None, None) => Err(raise_missing(py, &missing(&inner.params, key))),
                (Some(_), _) => get(&inner.params, key).map_err(|error| raise(py, &error)),
            }
        };
        result?.into_bound_py_any(py)
    }
}

#[pymethods]
impl Params {
    #[new]
    #[pyo3(signature = (entries = None, /, **more))]
    fn new(entries: Option<&Bound<'_, PyAny>>, more: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut params = match entries {
            Some(entries) => Self::read(entries)?,
            None => params::Params::new(),
        };
        if let Some(more) = more {
            for (key, value) in Self::read(more)?.values() {
                params.insert(key, value.clone());
            }
        }
        Ok(Self::of(params))
    }

    fn __getitem__(&self, py: Python<'_>, key: &str) -> PyResult<String> {
        let inner = self.inner();
        match inner.params.find(key) {
            Some(text) => Ok(text.to_owned()),
            None => Err(raise_missing(py, &missing(&inner.params, key))),
        }
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, text) = (key_text(key)?, value_text(key, value)?);
        self.change(|params| params.set(name, text));
        Ok(())
    }

    fn __delitem__(&self, py: Python<'_>, key: &str) -> PyResult<()> {
        if self.change(|params| params.remove(key)) {
            return Ok(());
        }
        let error = missing(&self.inner().params, key);
        Err(raise_missing(py, &error))
    }

    fn __len__(&self) -> usize {
        self.inner().params.len()
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
        key.extract::<String>().is_ok_and(|key| self.inner().params.find(&key).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyList::new(py, self.keys_now())?.try_iter()?.into_any())
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(other) = other.cast::<Self>() {
            return as_dict(slf)?.eq(as_dict(other)?);
        }
        as_dict(slf)?.eq(other)
    }

    fn __or__(&self, other: &Bound<'_, PyMapping>) -> PyResult<Self> {
        let result = Self::of(self.snapshot());
        result.take_over(other)?;
        Ok(result)
    }

    fn __ror__(&self, other: &Bound<'_, PyMapping>) -> PyResult<Self> {
        let result = Self::of(Self::read(other)?);
        for (key, value) in self.snapshot().values() {
            result.change(|params| params.insert(key, value.clone()));
        }
        Ok(result)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("Params({})", as_dict(slf)?.repr()?))
    }

    /// The value of `key`, or `default` where it is not set.
    #[pyo3(signature = (key, default = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> Option<Bound<'py, PyAny>> {
        match self.inner().params.find(key) {
            Some(text) => Some(PyString::new(py, text).into_any()),
            None => default,
        }
    }

    /// A view of the keys.
    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        view(slf, "KeysView")
    }

    /// A view of the values.
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        view(slf, "ValuesView")
    }

    /// A view of the keys with their values.
    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        view(slf, "ItemsView")
    }

    /// Removes `key` and gives back its value; `default`, if given, where it is not set.
    #[pyo3(signature = (key, /, *default))]
    fn pop<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if default.len() > 1 {
            return Err(PyTypeError::new_err("pop takes a key and at most one default"));
        }
        let found = self.inner().params.find(key).map(str::to_owned);
        match found {
            Some(text) => {
                self.change(|params| params.remove(key));
                Ok(PyString::new(py, &text).into_any())
            }
            None if default.is_empty() => {
                Err(raise_missing(py, &missing(&self.inner().params, key)))
            }
            None => default.get_item(0),
        }
    }

    /// Removes and gives back the key that was set last, with its value.
    fn popitem(&self, py: Python<'_>) -> PyResult<(String, String)> {
        let mut inner = self.inner();
        let last = inner.params.iter().last().map(|(key, text)| (key.to_owned(), text.to_owned()));
        let Some((key, text)) = last else {
            let error = Error::new(ErrorKind::Params, "no key is set");
            return Err(raise_missing(py, &error));
        };
        inner.version += 1;
        inner.params.remove(&key);
        Ok((key, text))
    }

    /// Removes all keys.
    fn clear(&self) {
        self.change(|params| *params = params::Params::new());
    }

    /// Sets what another mapping, or pairs of keys and values, or keywords say.
    #[pyo3(signature = (other = None, /, **more), text_signature = "($self, other=(), /, **more)")]
    fn update(
        &self,
        other: Option<&Bound<'_, PyAny>>,
        more: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        if let Some(other) = other {
            self.take_over(other)?;
        }
        if let Some(more) = more {
            self.take_over(more)?;
        }
        Ok(())
    }

    /// The value of `key`, which is set to `default` (no text unless given) first if it is not set.
    #[pyo3(signature = (key, default = None, /))]
    fn setdefault(
        &self,
        key: &Bound<'_, PyAny>,
        default: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let name = key_text(key)?;
        let text = default.map(|default| value_text(key, default)).transpose()?.unwrap_or_default();
        Ok(self.change(|params| {
            params.set_default(&name, text);
            params.find(&name).unwrap_or_default().to_owned()
        }))
    }

    /// The names in `key`, a list separated by blanks (`vms`, `images`, `nics`); none where it is
    /// not set.
    fn objects(&self, key: &str) -> Vec<String> {
        self.inner().params.objects(key).into_iter().map(str::to_owned).collect()
    }

    /// The params as the object `name` sees them: a key that ends in `_name` overrides the key
    /// without that ending.
    fn object_params(&self, name: &str) -> Self {
        Self::of(self.inner().params.object_params(name))
    }

    /// A whole number, not negative.
    #[pyo3(signature = (key, default = None))]
    fn get_int<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, params::Params::get_u64)
    }

    /// A number that may have a fraction and a sign.
    #[pyo3(signature = (key, default = None))]
    fn get_float<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, params::Params::get_f64)
    }

    /// `yes` is `True`, `no` is `False`; nothing else is legal.
    #[pyo3(signature = (key, default = None))]
    fn get_bool<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, |params, key| params.get_bool(key).map(Truth))
    }

    /// A time in seconds; the value may have a unit (`360`, `0.5`, `200ms`, `2m`, `1h`).
    #[pyo3(signature = (key, default = None))]
    fn get_duration<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, |params, key| Ok(params.get_duration(key)?.as_secs_f64()))
    }

    /// A size in bytes; QEMU's suffixes are powers of 1024 (`64K`, `10G`).
    #[pyo3(signature = (key, default = None))]
    fn get_size<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, params::Params::get_size)
    }

    /// A size in bytes, where a number without a suffix counts MiB, as in `mem`.
    #[pyo3(signature = (key, default = None))]
    fn get_size_mib<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.typed(py, key, default, params::Params::get_size_mib)
    }

    /// One of `choices`; anything else is an error that lists them.
    #[pyo3(signature = (key, choices, default = None))]
    fn get_choice<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        choices: Vec<String>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        self.typed(py, key, default, |params, key| {
            params.get_choice(key, &choices).map(str::to_owned)
        })
    }

    /// Where `key` was set, if a file of the configuration set it.
    fn origin(&self, key: &str) -> Option<Origin> {
        let inner = self.inner();
        let origin = inner.params.origin(key)?;
        Some(Origin { file: origin.file.to_string(), line: origin.line })
    }

    /// A second mapping with the same entries.
    fn copy(&self) -> Self {
        Self::of(self.snapshot())
    }

    fn __copy__(&self) -> Self {
        self.copy()
    }

    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> Self {
        let _ = memo;
        self.copy()
    }

    /// What `to_json` made, as a child's request has it: entries with `key`, `value`, `origin`.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        serde_json::from_str(text)
            .map(Self::of)
            .map_err(|error| PyValueError::new_err(format!("these are no params: {error}")))
    }

    /// All entries, with the places that set them, as JSON.
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&self.inner().params)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json()?,)))
    }
}

impl Params {
    fn take_over(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        let other = Self::read(other)?;
        self.change(|params| {
            for (key, value) in other.values() {
                params.insert(key, value.clone());
            }
        });
        Ok(())
    }
}

#[pymethods]
impl Origin {
    fn __str__(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    fn __repr__(&self) -> String {
        format!("Origin({self})", self = self.__str__())
    }
}

/// A `bool` by value: Python's own is borrowed.
struct Truth(bool);

impl<'py> IntoPyObject<'py> for Truth {
    type Target = PyBool;
    type Output = Bound<'py, PyBool>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBool::new(py, self.0).to_owned())
    }
}

fn missing(params: &params::Params, key: &str) -> Error {
    // It is missing, so there is an error; what would be if not says no less.
    params.get(key).err().unwrap_or_else(|| Error::new(ErrorKind::Params, key))
}

fn pairs<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match object.cast::<PyMapping>() {
        Ok(mapping) => Ok(mapping.items()?.into_any()),
        Err(_) => Ok(object.clone()),
    }
}

fn as_dict<'py>(params: &Bound<'py, Params>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(params.py());
    for (key, text) in params.get().inner().params.iter() {
        dict.set_item(key, text)?;
    }
    Ok(dict)
}

fn view<'py>(params: &Bound<'py, Params>, kind: &str) -> PyResult<Bound<'py, PyAny>> {
    static VIEWS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let py = params.py();
    let views = VIEWS
        .get_or_try_init(py, || PyModule::import(py, "collections.abc").map(Bound::unbind))?
        .bind(py);
    views.getattr(kind)?.call1((params,))
}
