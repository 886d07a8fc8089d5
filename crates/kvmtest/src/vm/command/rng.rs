//! A source of randomness, without which a fresh guest may wait for entropy.

use serde_json::json;

use super::argument::{Argument, Device};
use super::plan::Plan;
use crate::error::Result;

/// The arguments for the source of randomness.
pub(super) fn arguments(plan: &Plan) -> Result<Vec<Argument>> {
    let model = plan.virtio("rng");
    if !plan.wants("rng", &model)? {
        return Ok(Vec::new());
    }
    Ok(vec![
        Argument::json("object", &json!({"qom-type": "rng-builtin", "id": "rng-source"})),
        Device::new(model)
            .with("id", "rng")
            .with("rng", "rng-source")
            .asked_by("rng", "yes")
            .into(),
    ])
}
