//! The controllers that drives are plugged into, where the board has none of its own.

use serde_json::json;

use super::super::argument::{Argument, Device};
use super::super::machine::Family;
use super::super::plan::Plan;
use super::super::read;
use super::bus::Bus;
use super::drive::Drive;
use super::slot::{adapter, needs_ahci, per_adapter};
use crate::error::Result;

/// The arguments for the controllers of `drives`.
pub(super) fn arguments(plan: &Plan, drives: &[Drive]) -> Result<Vec<Argument>> {
    let family = plan.machine.family;
    let on = |bus: Bus| drives.iter().filter(move |drive| drive.bus == bus);
    let mut arguments = Vec::new();
    if let Some(drive) = drives.iter().find(|drive| needs_ahci(family, drive.bus)) {
        arguments.push(asked(Device::new("ich9-ahci").with("id", "ahci"), drive));
    }
    for (index, drive) in on(Bus::VirtioScsi).step_by(per_adapter(Bus::VirtioScsi)).enumerate() {
        let id = adapter(Bus::VirtioScsi, index);
        let iothread = on(Bus::VirtioScsi).any(|drive| drive.iothread);
        if iothread {
            arguments.push(self::iothread(&id));
        }
        let device = Device::new(plan.virtio("scsi"))
            .with("id", &*id)
            .maybe("iothread", iothread.then(|| format!("iothread-{id}")));
        arguments.push(asked(device, drive));
    }
    let models =
        ["lsi53c895a", "lsi53c810", "megasas", "megasas-gen2", "mptsas1068", "am53c974", "pvscsi"];
    let model = read::choice(plan.params, "scsi_hba", models[0], &models)?;
    for (index, _) in on(Bus::Scsi).step_by(per_adapter(Bus::Scsi)).enumerate() {
        let device = Device::new(model).with("id", adapter(Bus::Scsi, index));
        arguments.push(device.asked_by("scsi_hba", model).into());
    }
    if let Some(drive) = on(Bus::Floppy).next()
        && family != Family::Pc
    {
        arguments.push(asked(Device::new("isa-fdc").with("id", "fdc"), drive));
    }
    for (index, drive) in on(Bus::Sd).enumerate() {
        let device = Device::new("sdhci-pci").with("id", format!("sdhci{index}"));
        arguments.push(asked(device, drive));
    }
    Ok(arguments)
}

/// An I/O thread for the device `id`.
pub(super) fn iothread(id: &str) -> Argument {
    Argument::json("object", &json!({"qom-type": "iothread", "id": format!("iothread-{id}")}))
}

fn asked(device: Device, drive: &Drive) -> Argument {
    let (key, value) = &drive.asked_by;
    device.asked_by(key, value).into()
}
