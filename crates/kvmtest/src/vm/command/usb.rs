//! USB: the controllers that something needs, and the tablet.

use std::collections::BTreeSet;

use super::argument::{Argument, Device};
use super::read;
use crate::error::Result;
use crate::params::Params;

/// A USB host controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Controller {
    /// USB 1.1.
    Uhci,
    /// USB 2.
    Ehci,
    /// USB 3.
    Xhci,
}

impl Controller {
    /// The bus behind it.
    pub(super) fn bus(self) -> String {
        format!("{}.0", self.id())
    }

    fn id(self) -> &'static str {
        match self {
            Self::Uhci => "uhci",
            Self::Ehci => "ehci",
            Self::Xhci => "xhci",
        }
    }

    fn model(self) -> &'static str {
        match self {
            Self::Uhci => "piix3-usb-uhci",
            Self::Ehci => "usb-ehci",
            Self::Xhci => "qemu-xhci",
        }
    }
}

/// The controller for what does not say which one it wants.
pub(super) fn preferred(params: &Params) -> Result<Controller> {
    Ok(asked(params)?.unwrap_or(Controller::Xhci))
}

/// The arguments for the controllers: what `usb_controller` asks for, and what is `needed`.
pub(super) fn controllers(
    params: &Params,
    needed: impl IntoIterator<Item = Controller>,
) -> Result<Vec<Argument>> {
    let mut all: BTreeSet<Controller> = needed.into_iter().chain(asked(params)?).collect();
    if tablet(params)? {
        all.insert(preferred(params)?);
    }
    let argument = |controller: Controller| {
        Device::new(controller.model())
            .with("id", controller.id())
            .asked_by("usb_controller", controller.id())
            .into()
    };
    Ok(all.into_iter().map(argument).collect())
}

/// The argument for the tablet, a pointer with absolute coordinates.
pub(super) fn arguments(params: &Params) -> Result<Option<Argument>> {
    if !tablet(params)? {
        return Ok(None);
    }
    let bus = preferred(params)?.bus();
    let device = Device::new("usb-tablet").with("id", "tablet").with("bus", bus);
    Ok(Some(device.asked_by("tablet", "yes").into()))
}

fn tablet(params: &Params) -> Result<bool> {
    read::flag(params, "tablet", false)
}

fn asked(params: &Params) -> Result<Option<Controller>> {
    Ok(match read::choice(params, "usb_controller", "none", &["none", "uhci", "ehci", "xhci"])? {
        "uhci" => Some(Controller::Uhci),
        "ehci" => Some(Controller::Ehci),
        "xhci" => Some(Controller::Xhci),
        _ => None,
    })
}
