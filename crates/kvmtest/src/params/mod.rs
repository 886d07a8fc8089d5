//! `params`: an ordered dictionary of strings that the configuration language made, with getters
//! that check what they return.

pub mod name;
mod typed;
mod units;

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

pub use units::{duration, size};

use crate::error::{Error, ErrorKind, Result};

/// The parameters of a test, or of one of its objects (a VM, an image, a NIC).
///
/// Every value is a string and knows the file and the line that set it; the getters' errors name
/// key, value and place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    entries: IndexMap<Arc<str>, Value>,
}

/// A value and where it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: Arc<str>,
    /// The file and line that set it last, where a file did.
    pub origin: Option<Origin>,
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Params {
    /// No parameters at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `key`; a missing key is an error.
    pub fn get(&self, key: &str) -> Result<&str> {
        self.find(key).ok_or_else(|| {
            Error::new(ErrorKind::Params, format!("`{key}` is not set{}", self.hint(key)))
        })
    }

    /// The value of `key`, or `default` where it is not set.
    pub fn get_or<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.find(key).unwrap_or(default)
    }

    /// The value of `key`, if it is set. A value may be empty.
    pub fn find(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|value| &*value.text)
    }

    /// The value of `key`, if it is set and not empty.
    pub fn find_nonempty(&self, key: &str) -> Option<&str> {
        self.find(key).filter(|text| !text.is_empty())
    }

    /// Where `key` was set, if a file set it.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.entries.get(key)?.origin.as_ref()
    }

    /// Sets `key`, as a program does it: without a place in a file.
    pub fn set(&mut self, key: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.insert(key, Value { text: text.into(), origin: None });
    }

    /// Sets `key` if nothing has set it yet.
    pub fn set_default(&mut self, key: &str, text: impl Into<Arc<str>>) {
        if !self.entries.contains_key(key) {
            self.set(key, text);
        }
    }

    /// Sets `key` to a value that knows its place.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) {
        self.entries.insert(key.into(), value);
    }

    /// Forgets `key`; says whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.entries.shift_remove(key).is_some()
    }

    /// All keys and values, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (&**key, &*value.text))
    }

    /// All keys and values, with their places.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// How many keys are set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names in `key`, which is a list separated by blanks (`vms`, `images`, `nics`); none
    /// where it is not set.
    pub fn objects(&self, key: &str) -> Vec<&str> {
        self.find(key).unwrap_or_default().split_whitespace().collect()
    }

    /// The parameters as the object `name` sees them: a key that ends in `_name` overrides the
    /// key without that ending. Everything else stays, the longer keys as well.
    #[must_use]
    pub fn object_params(&self, name: &str) -> Self {
        let suffix = format!("_{name}");
        let mut result = self.clone();
        for (key, value) in &self.entries {
            match key.strip_suffix(&suffix) {
                Some(bare) if !bare.is_empty() => {
                    result.entries.insert(bare.into(), value.clone());
                }
                _ => {}
            }
        }
        result
    }

    /// A word on what else is set, for a key that is not: a key with an object's name at its end.
    fn hint(&self, key: &str) -> String {
        let prefix = format!("{key}_");
        match self.entries.keys().find(|other| other.starts_with(&prefix)) {
            Some(other) => format!(" (`{other}` is)"),
            None => String::new(),
        }
    }
}

impl<K: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(K, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut params = Self::new();
        for (key, text) in pairs {
            params.set(key, text);
        }
        params
    }
}

/// One entry as it crosses a process boundary.
#[derive(Serialize, Deserialize)]
struct Entry {
    key: Arc<str>,
    value: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

impl Serialize for Params {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(|(key, value)| Entry {
            key: key.clone(),
            value: value.text.clone(),
            origin: value.origin.clone(),
        }))
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut params = Self::new();
        for Entry { key, value, origin } in Vec::<Entry>::deserialize(deserializer)? {
            params.insert(key, Value { text: value, origin });
        }
        Ok(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_sees_its_own_keys_first() {
        let params: Params =
            [("mem", "256"), ("mem_vm2", "512"), ("nic_mac_nic1_vm2", "a"), ("_vm2", "odd")]
                .into_iter()
                .collect();
        let vm2 = params.object_params("vm2");
        assert_eq!(vm2.find("mem"), Some("512"));
        assert_eq!(vm2.find("mem_vm2"), Some("512"));
        assert_eq!(vm2.object_params("nic1").find("nic_mac"), Some("a"));
        assert_eq!(params.object_params("vm1").find("mem"), Some("256"));
    }

    #[test]
    fn a_suffix_is_taken_from_the_end_only() {
        let params: Params = [("x_vm1_y_vm1", "1")].into_iter().collect();
        let vm1 = params.object_params("vm1");
        assert_eq!(vm1.find("x_vm1_y"), Some("1"));
        assert_eq!(vm1.find("x"), None);
    }

    #[test]
    fn a_missing_key_is_named() {
        let params: Params = [("mem_vm2", "512")].into_iter().collect();
        let error = params.get("mem").expect_err("not set");
        assert_eq!(error.kind(), ErrorKind::Params);
        assert_eq!(error.to_string(), "`mem` is not set (`mem_vm2` is)");
    }

    #[test]
    fn order_and_places_survive_a_process_boundary() {
        let mut params = Params::new();
        params.set("z", "1");
        params.insert(
            "a",
            Value { text: "2".into(), origin: Some(Origin { file: "x.cfg".into(), line: 7 }) },
        );
        let json = serde_json::to_string(&params).expect("serialises");
        let back: Params = serde_json::from_str(&json).expect("reads back");
        assert_eq!(back, params);
        assert_eq!(back.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["z", "a"]);
    }
}
