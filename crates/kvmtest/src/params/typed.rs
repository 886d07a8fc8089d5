//! The getters that check: each error names the key, its value, and the place that set it.

use std::time::Duration;

use super::{Params, units};
use crate::error::{Error, ErrorKind, Result};

impl Params {
    /// A whole number, not negative.
    pub fn get_u64(&self, key: &str) -> Result<u64> {
        self.typed(key, "a whole number", |text| text.trim().parse().ok())
    }

    /// A whole number, not negative; `default` where it is not set.
    pub fn get_u64_or(&self, key: &str, default: u64) -> Result<u64> {
        self.or(key, default, Self::get_u64)
    }

    /// A number that may have a fraction and a sign.
    pub fn get_f64(&self, key: &str) -> Result<f64> {
        self.typed(key, "a number", |text| {
            text.trim().parse().ok().filter(|number: &f64| number.is_finite())
        })
    }

    /// `yes` or `no`; nothing else is legal.
    pub fn get_bool(&self, key: &str) -> Result<bool> {
        self.typed(key, "`yes` or `no`", |text| match text.trim() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })
    }

    /// `yes` or `no`; `default` where it is not set.
    pub fn get_bool_or(&self, key: &str, default: bool) -> Result<bool> {
        self.or(key, default, Self::get_bool)
    }

    /// A time: seconds, or a number with `ms`, `s`, `m` or `h`.
    pub fn get_duration(&self, key: &str) -> Result<Duration> {
        self.typed(key, "a time (`360`, `0.5`, `200ms`, `2m`, `1h`)", units::duration)
    }

    /// A time; `default` where it is not set.
    pub fn get_duration_or(&self, key: &str, default: Duration) -> Result<Duration> {
        self.or(key, default, Self::get_duration)
    }

    /// A size in bytes; QEMU's suffixes are powers of 1024 (`4G` is 4 GiB).
    pub fn get_size(&self, key: &str) -> Result<u64> {
        self.typed(key, "a size (`4096`, `64K`, `10G`)", |text| units::size(text, 1))
    }

    /// A size in bytes, where a number without a suffix counts MiB, as in `mem`.
    pub fn get_size_mib(&self, key: &str) -> Result<u64> {
        self.typed(key, "a size (`512` for 512 MiB, `4G`)", |text| units::size(text, 1 << 20))
    }

    /// One of `choices`.
    pub fn get_choice<'a>(&'a self, key: &str, choices: &[&str]) -> Result<&'a str> {
        let text = self.get(key)?;
        if choices.contains(&text) {
            return Ok(text);
        }
        let legal: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        Err(self.wrong(key, &format!("one of {}", legal.join(", "))))
    }

    /// One of `choices`; the first of them where it is not set.
    pub fn get_choice_or<'a>(&'a self, key: &str, choices: &[&'a str]) -> Result<&'a str> {
        match self.find(key) {
            Some(_) => self.get_choice(key, choices),
            None => Ok(choices.first().copied().unwrap_or_default()),
        }
    }

    /// The error for a value of `key` that should have been `what`; for checks of one's own.
    pub fn wrong(&self, key: &str, what: &str) -> Error {
        let value = self.find(key).unwrap_or_default();
        let place = match self.origin(key) {
            Some(origin) => format!(" ({origin})"),
            None => String::new(),
        };
        Error::new(ErrorKind::Params, format!("`{key}` must be {what}: `{value}`{place}"))
    }

    fn typed<T>(&self, key: &str, what: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        read(self.get(key)?).ok_or_else(|| self.wrong(key, what))
    }

    fn or<T>(
        &self,
        key: &str,
        default: T,
        get: impl FnOnce(&Self, &str) -> Result<T>,
    ) -> Result<T> {
        match self.find(key) {
            Some(_) => get(self, key),
            None => Ok(default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{Origin, Value};

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let mut params = Params::new();
        params.insert(
            "smp",
            Value { text: "two".into(), origin: Some(Origin { file: "base.cfg".into(), line: 9 }) },
        );
        let error = params.get_u64("smp").expect_err("no number");
        assert_eq!(error.to_string(), "`smp` must be a whole number: `two` (base.cfg:9)");
        params.set("kill_vm", "true");
        let error = params.get_bool("kill_vm").expect_err("only yes and no");
        assert_eq!(error.to_string(), "`kill_vm` must be `yes` or `no`: `true`");
    }

    #[test]
    fn a_default_stands_for_a_missing_key_only() {
        let mut params = Params::new();
        assert_eq!(params.get_u64_or("smp", 2).expect("default"), 2);
        params.set("smp", "");
        params.get_u64_or("smp", 2).expect_err("an empty value is no number");
    }
}
