//! Where a machine came from that did not boot.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The state that a machine was started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its name: `booted`.
    pub name: String,
    /// Its digest: the name of its directory in the store.
    pub digest: String,
    /// How long it took to make it, if it was not there.
    pub built: Option<Duration>,
    /// How long it took to start from it, until the guest ran.
    pub took: Duration,
}
