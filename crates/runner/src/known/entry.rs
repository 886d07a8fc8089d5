//! One known failure.

use jiff::civil::Date;

use crate::plan::label;

/// One known failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The file and the line: `known.toml:12`.
    pub(super) place: String,
    /// The filter of the tests that it is about.
    pub(super) tests: String,
    /// Why they are expected to fail.
    pub(super) reason: String,
    /// Where that is followed.
    pub(super) link: Option<String>,
    /// The last day on which it is accepted.
    pub(super) expires: Date,
}

impl Entry {
    /// Whether it is about the test with this full name.
    pub(super) fn is_about(&self, name: &str) -> bool {
        label::passes(name, &self.tests)
    }
}
