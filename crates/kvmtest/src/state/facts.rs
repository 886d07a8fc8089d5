//! What whoever made a state wants to know of it later.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What whoever made a state wants to know when a machine starts from it: MAC addresses, the
/// accelerator, a seed. The store keeps it as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(pub Value);

impl From<Value> for Facts {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
