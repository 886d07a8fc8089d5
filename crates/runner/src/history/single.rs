//! One end of a test in one run.

use jiff::Timestamp;
use serde::Serialize;

use crate::outcome::Outcome;

/// One end of a test in one run; of several tries the one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Single {
    /// When it had begun.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it failed as expected.
    pub known: bool,
    /// Whether it passed, but not at the first try.
    pub flaky: bool,
    /// Why it failed, in words.
    pub cause: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The folder of the run in the folder of results.
    pub directory: String,
}
