//! The memory balloon.

use super::argument::{Argument, Device};
use super::plan::Plan;
use super::read;
use crate::error::Result;

/// The argument for the balloon, if there is to be one.
pub(super) fn arguments(plan: &Plan) -> Result<Option<Argument>> {
    let wanted = read::flag(plan.params, "balloon", false)?;
    Ok(wanted.then(|| {
        Device::new(plan.virtio("balloon")).with("id", "balloon").asked_by("balloon", "yes").into()
    }))
}
