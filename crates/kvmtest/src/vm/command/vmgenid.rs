//! The device by which a guest learns that it was started from a saved state once more, so that
//! no two that were are as random as each other.

use super::argument::{Argument, Device};
use super::machine::{Family, Machine};
use super::plan::Plan;
use super::read;
use crate::error::Result;

const MODEL: &str = "vmgenid";

/// The first version of a PC whose firmware configuration the device can write to.
const SINCE: (u32, u32) = (2, 5);

/// The argument for the device, where the machine has a place for it. What it says is made by
/// QEMU at each start, so it is no part of the command line.
pub(super) fn arguments(plan: &Plan) -> Result<Option<Argument>> {
    if !has_place(&plan.machine) || !read::flag(plan.params, "acpi", true)? {
        if read::flag(plan.params, "vmgenid", false)? {
            let what = "`no` on this machine: it needs a `q35` or `pc` of 2.5 or later, with ACPI";
            return Err(plan.params.wrong("vmgenid", what));
        }
        return Ok(None);
    }
    let device = || Device::new(MODEL).with("id", "vmgenid").with("guid", "auto");
    Ok(plan.wants("vmgenid", MODEL)?.then(|| device().asked_by("vmgenid", "yes").into()))
}

fn has_place(machine: &Machine) -> bool {
    let known = matches!(machine.family, Family::Q35 | Family::Pc);
    known && version(&machine.name).is_none_or(|version| version >= SINCE)
}

/// Which version of a machine `pc-i440fx-2.4` is; nothing for the newest, and for a distribution's
/// own.
fn version(name: &str) -> Option<(u32, u32)> {
    let (major, minor) = name.rsplit_once('-')?.1.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_machines_have_no_place() {
        for (name, family, expected) in [
            ("q35", Family::Q35, true),
            ("pc", Family::Pc, true),
            ("pc-i440fx-2.4", Family::Pc, false),
            ("pc-i440fx-2.5", Family::Pc, true),
            ("pc-q35-2.12", Family::Q35, true),
            ("pc-q35-10.0", Family::Q35, true),
            ("pc-q35-jammy", Family::Q35, true),
            ("pc-i440fx-rhel7.6.0", Family::Pc, true),
            ("microvm", Family::Microvm, false),
            ("virt", Family::Other, false),
        ] {
            let machine = Machine { name: name.to_owned(), family };
            assert_eq!(has_place(&machine), expected, "{name}");
        }
    }
}
