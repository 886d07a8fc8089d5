//! A run as the history keeps it.

use jiff::Timestamp;

use crate::event::Cause;
use crate::outcome::Outcome;

/// A run as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The name of its folder in the folder of results.
    pub directory: String,
    /// When it began.
    pub began: Timestamp,
    /// The program and its version.
    pub program: String,
    /// The name of the host.
    pub host: String,
    /// What ended in it; of several tries of a test the one that counts.
    pub tests: Vec<Ran>,
}

/// A test that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The full name of the variant.
    pub name: String,
    /// The short name.
    pub shortname: String,
    /// The subtest.
    pub subtest: String,
    /// Which repetition it was, counted from 1.
    pub iteration: u32,
    /// Which try it was, counted from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it passed, but not at the first try.
    pub flaky: bool,
    /// Whether it failed as expected.
    pub known: bool,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// When it began.
    pub began: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}
