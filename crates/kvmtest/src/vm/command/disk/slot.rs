//! Which place a drive has on its controller.

use std::collections::BTreeMap;

use super::super::machine::Family;
use super::super::plan::Plan;
use super::bus::Bus;
use super::drive::Drive;
use crate::error::{Error, ErrorKind, Result};

/// A place on a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// The bus.
    pub(super) bus: String,
    /// The unit on an IDE channel or in the floppy controller.
    pub(super) unit: Option<u64>,
}

/// How many drives a SCSI host adapter of the kind `bus` takes.
pub(super) fn per_adapter(bus: Bus) -> usize {
    match bus {
        // lsi53c895a has eight targets, and is one of them itself.
        Bus::Scsi => 7,
        _ => 64,
    }
}

/// The identifier of the SCSI host adapter number `index` of the kind `bus`.
pub(super) fn adapter(bus: Bus, index: usize) -> String {
    match bus {
        Bus::VirtioScsi => format!("virtio-scsi{index}"),
        _ => format!("scsi{index}"),
    }
}

/// The slots of `drives`, one for each; none for what is its own controller.
pub(super) fn assign(plan: &Plan, drives: &[Drive]) -> Result<Vec<Option<Slot>>> {
    let mut ports = Ports::new(plan.machine.family, drives)?;
    let mut counts: BTreeMap<Bus, usize> = BTreeMap::new();
    let mut slots = Vec::new();
    for drive in drives {
        let count = counts.entry(drive.bus).or_default();
        let nth = *count;
        *count += 1;
        slots.push(match drive.bus {
            Bus::Ide | Bus::Ahci => Some(ports.take(drive)?),
            Bus::VirtioScsi | Bus::Scsi => {
                let adapter = adapter(drive.bus, nth / per_adapter(drive.bus));
                Some(Slot { bus: format!("{adapter}.0"), unit: None })
            }
            Bus::Usb(controller) => Some(Slot { bus: controller.bus(), unit: None }),
            Bus::Virtio | Bus::Nvme | Bus::Sd => None,
            Bus::Floppy if nth < 2 => Some(Slot { bus: String::new(), unit: Some(nth as u64) }),
            Bus::Floppy => return Err(full(drive, "the floppy controller", 2)),
        });
    }
    Ok(slots)
}

/// Whether drives on `bus` are plugged into an AHCI controller that is not the board's own.
pub(super) fn needs_ahci(family: Family, bus: Bus) -> bool {
    match bus {
        Bus::Ide => family == Family::Other,
        Bus::Ahci => family != Family::Q35,
        _ => false,
    }
}

/// The ports of IDE and SATA: `drive_index` is the number of one, and what has no index gets the
/// first that is free.
struct Ports {
    family: Family,
    taken: BTreeMap<(bool, u64), String>,
}

impl Ports {
    fn new(family: Family, drives: &[Drive]) -> Result<Self> {
        let mut ports = Self { family, taken: BTreeMap::new() };
        for drive in drives.iter().filter(|drive| matches!(drive.bus, Bus::Ide | Bus::Ahci)) {
            let Some(index) = drive.index else { continue };
            let count = ports.count(drive.bus);
            if index >= count {
                return Err(wrong(drive, &format!("must be below {count} on this bus: `{index}`")));
            }
            let place = (ports.is_extra(drive.bus), index);
            if let Some(other) = ports.taken.insert(place, drive.name.clone()) {
                return Err(wrong(drive, &format!("is that of `{other}`, too: `{index}`")));
            }
        }
        Ok(ports)
    }

    fn take(&mut self, drive: &Drive) -> Result<Slot> {
        let extra = self.is_extra(drive.bus);
        let count = self.count(drive.bus);
        let index = match drive.index {
            Some(index) => index,
            None => (0..count)
                .find(|index| !self.taken.contains_key(&(extra, *index)))
                .ok_or_else(|| full(drive, &drive.asked_by.1, count))?,
        };
        self.taken.insert((extra, index), drive.name.clone());
        Ok(match (extra, self.family) {
            (true, _) => Slot { bus: format!("ahci.{index}"), unit: None },
            (false, Family::Q35) => Slot { bus: format!("ide.{index}"), unit: None },
            (false, _) => Slot { bus: format!("ide.{}", index / 2), unit: Some(index % 2) },
        })
    }

    fn is_extra(&self, bus: Bus) -> bool {
        needs_ahci(self.family, bus)
    }

    fn count(&self, bus: Bus) -> u64 {
        if self.family == Family::Q35 || self.is_extra(bus) { 6 } else { 4 }
    }
}

fn wrong(drive: &Drive, what: &str) -> Error {
    Error::new(ErrorKind::Params, format!("`drive_index` of `{}` {what}", drive.name))
}

fn full(drive: &Drive, bus: &str, count: u64) -> Error {
    let (key, _) = &drive.asked_by;
    let message = format!(
        "`{key}` of `{}` must be another bus: `{bus}` has no more than {count} places, all taken",
        drive.name
    );
    Error::new(ErrorKind::Params, message)
}
