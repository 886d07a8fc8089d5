//! The device by which a guest's kernel says that it panicked.

use super::argument::{Argument, Device};
use super::machine::Family;
use super::plan::Plan;
use super::read;
use crate::error::Result;

/// The argument for the device, where the machine has a place for it.
pub(super) fn arguments(plan: &Plan) -> Result<Option<Argument>> {
    let model = match plan.machine.family {
        Family::Q35 | Family::Pc => "pvpanic",
        Family::Other => "pvpanic-pci",
        Family::Microvm => {
            if read::flag(plan.params, "pvpanic", false)? {
                let what = "`no` on a `microvm`, which has no place for it";
                return Err(plan.params.wrong("pvpanic", what));
            }
            return Ok(None);
        }
    };
    Ok(plan
        .wants("pvpanic", model)?
        .then(|| Device::new(model).with("id", "pvpanic").asked_by("pvpanic", "yes").into()))
}
