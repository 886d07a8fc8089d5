//! Regular expressions of Python, as the library's.

use std::borrow::Cow;

use kvmtest::session::Pattern as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use regex::bytes::Regex;

/// One pattern: a `str`, or what `re.compile` made of one.
pub(crate) struct Pattern(pub(crate) Regex);

/// One pattern or several of them.
pub(crate) struct Patterns(pub(crate) Vec<Regex>);

/// How a pattern is used.
#[derive(Clone, Copy)]
enum Sight {
    Text,
    /// Each line by itself: `^` and `$` are its ends.
    Line,
}

impl<'py> FromPyObject<'_, 'py> for Pattern {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        read(&object, Sight::Text).map(Self)
    }
}

impl<'py> FromPyObject<'_, 'py> for Patterns {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        all(&object, Sight::Text)
    }
}

impl Patterns {
    /// What `object` is, as patterns for single lines.
    pub(crate) fn of_lines(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        all(object, Sight::Line)
    }
}

fn all(object: &Bound<'_, PyAny>, sight: Sight) -> PyResult<Patterns> {
    // Text can be gone through as well, letter by letter.
    if is_one(object)? {
        return Ok(Patterns(vec![read(object, sight)?]));
    }
    let mut patterns = Vec::new();
    for one in object.try_iter()? {
        patterns.push(read(&one?, sight)?);
    }
    if patterns.is_empty() {
        return Err(PyValueError::new_err("there is no pattern to wait for"));
    }
    Ok(Patterns(patterns))
}

fn is_one(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyBytes>()
        || object.hasattr("pattern")?)
}

fn read(object: &Bound<'_, PyAny>, sight: Sight) -> PyResult<Regex> {
    let (pattern, flags) = if object.hasattr("pattern")? {
        (object.getattr("pattern")?, object.getattr("flags")?.extract()?)
    } else {
        (object.clone(), 0)
    };
    let text = match pattern.cast::<PyString>() {
        Ok(text) => text.to_cow()?.into_owned(),
        Err(_) => of_bytes(&pattern)?,
    };
    let source = format!("{}{}", prefix(flags, sight), translated(&text));
    source.to_regex().map_err(|error| {
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let why = why.lines().last().unwrap_or_default();
        let why = why.strip_prefix("error: ").unwrap_or(why);
        PyValueError::new_err(format!("the pattern `{text}` cannot be waited for: {why}"))
    })
}

fn of_bytes(pattern: &Bound<'_, PyAny>) -> PyResult<String> {
    let kind = pattern.get_type().name()?;
    let wrong = || PyTypeError::new_err(format!("a pattern must be a str, not {kind}"));
    let bytes = pattern.cast::<PyBytes>().map_err(|_| wrong())?.as_bytes();
    let text = std::str::from_utf8(bytes).ok();
    text.map(str::to_owned).ok_or_else(|| PyValueError::new_err("a pattern must be UTF-8"))
}

/// The flags of `re` that the other engine has.
fn prefix(flags: u32, sight: Sight) -> String {
    const OF_RE: [(u32, char); 4] = [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')];
    let mut letters: String =
        OF_RE.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter).collect();
    if matches!(sight, Sight::Line) && !letters.contains('m') {
        letters.push('m');
    }
    if letters.is_empty() { letters } else { format!("(?{letters})") }
}

/// What the two engines write differently: the end of the text.
fn translated(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(r"\Z") {
        return Cow::Borrowed(pattern);
    }
    let mut text = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        text.push(letter);
        if letter == '\\' {
            text.extend(letters.next().map(|next| if next == 'Z' { 'z' } else { next }));
        }
    }
    Cow::Owned(text)
}
