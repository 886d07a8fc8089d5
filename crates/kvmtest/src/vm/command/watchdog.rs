//! A watchdog; what it does when it fires is a part of `-action`.

use super::argument::{Argument, Device};
use super::read;
use crate::error::Result;
use crate::params::Params;

/// The argument for the watchdog, if there is to be one.
pub(super) fn arguments(params: &Params) -> Result<Option<Argument>> {
    let Some(model) =
        read::choice_if_set(params, "watchdog_model", &["i6300esb", "ib700", "diag288", "itco"])?
    else {
        return Ok(None);
    };
    if model == "itco" {
        // It is a part of the `q35` chipset, which is told not to swallow the reset.
        return Ok(Some(Argument::Option("global", "ICH9-LPC.noreboot=off".to_owned())));
    }
    let device = Device::new(model).with("id", "watchdog").asked_by("watchdog_model", model);
    Ok(Some(device.into()))
}
