//! Something that was found while a test ran.

use kvmtest::ErrorKind;
use kvmtest::guest::sign::Action;
use serde::{Deserialize, Serialize};

/// So many lines are kept of what shows a sign.
const LINES: usize = 16;

/// Something that was found while a test ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The machine.
    pub vm: String,
    /// The sign, as `params` call it: `panic`, `oops`.
    pub sign: String,
    /// What is done about it.
    pub action: Action,
    /// The kind of error that it is.
    pub kind: ErrorKind,
    /// What it is, for people.
    pub message: String,
    /// The lines of the console that show it, and those that came after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// How often it was seen.
    pub count: u32,
}

impl Finding {
    /// Whether lines that come now belong to it.
    pub(super) fn wants_lines(&self) -> bool {
        !self.lines.is_empty() && self.lines.len() < LINES
    }
}
