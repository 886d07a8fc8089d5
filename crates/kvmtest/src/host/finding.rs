//! A line of what `kvmtest doctor` tells.

use serde::Serialize;

/// Something that was found out about the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How good it is.
    pub status: Status,
    /// What was looked at: `qemu-img`, `free memory`.
    pub what: String,
    /// What was seen.
    pub detail: String,
    /// The command, or the setting, that mends it; where there is something to mend.
    pub mend: Option<String>,
}

/// How good a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Tests run, but some of them, or slower.
    Warning,
    /// Without this no test runs.
    Missing,
}

impl Finding {
    /// All is well with `what`.
    pub fn ok(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Ok, what: what.into(), detail: detail.into(), mend: None }
    }

    /// Some tests cannot run, or run worse.
    pub fn warning(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Warning, ..Self::ok(what, detail) }
    }

    /// No test can run.
    pub fn missing(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status: Status::Missing, ..Self::ok(what, detail) }
    }

    /// The same finding, with what mends it.
    #[must_use]
    pub fn mended_by(mut self, mend: impl Into<Option<String>>) -> Self {
        self.mend = mend.into();
        self
    }
}
