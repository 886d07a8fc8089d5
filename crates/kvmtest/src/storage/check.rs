//! What `qemu-img check` finds.

use serde::Deserialize;

use crate::host::Ended;

/// What a check of an image found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    Clean,
    /// The format has nothing that could be checked.
    Unsupported,
    /// So many clusters are taken and used by nothing: room is lost, but no data.
    Leaks(u64),
    /// So many errors: data is lost.
    Corrupt(u64),
    /// The check could not be done to its end; why not.
    Unfinished(String),
}

/// By the exit status, which is documented; the numbers are in the report.
pub(super) fn judge(ended: &Ended) -> Check {
    /// What there is of the report.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Report {
        corruptions: u64,
        leaks: u64,
    }
    // Where nothing could be opened there is no report, and the words on standard error tell why.
    let report: Report = serde_json::from_slice(&ended.output).unwrap_or_default();
    match ended.status.code() {
        Some(0) => Check::Clean,
        Some(2) => Check::Corrupt(report.corruptions),
        Some(3) => Check::Leaks(report.leaks),
        Some(63) => Check::Unsupported,
        _ => Check::Unfinished(ended.words()),
    }
}
