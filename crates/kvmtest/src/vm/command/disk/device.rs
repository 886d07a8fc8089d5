//! The device that a guest sees a drive as.

use super::super::argument::Device;
use super::super::plan::Plan;
use super::super::uses::ImageKind;
use super::bus::Bus;
use super::drive::Drive;
use super::slot::Slot;

/// The device model of `drive`.
pub(super) fn model(plan: &Plan, drive: &Drive) -> String {
    let is_disc = drive.kind == ImageKind::Cdrom;
    match drive.bus {
        Bus::Virtio => return plan.virtio("blk"),
        Bus::VirtioScsi | Bus::Scsi if is_disc => "scsi-cd",
        Bus::VirtioScsi | Bus::Scsi => "scsi-hd",
        Bus::Ide | Bus::Ahci if is_disc => "ide-cd",
        Bus::Ide | Bus::Ahci => "ide-hd",
        Bus::Nvme => "nvme",
        Bus::Usb(_) => "usb-storage",
        Bus::Sd => "sd-card",
        Bus::Floppy => "floppy",
    }
    .to_owned()
}

/// The device of `drive` in `slot`.
pub(super) fn argument(plan: &Plan, drive: &Drive, slot: Option<&Slot>) -> Device {
    let (key, value) = &drive.asked_by;
    let bus = slot.map(|slot| &*slot.bus).filter(|bus| !bus.is_empty());
    let mut device = Device::new(model(plan, drive))
        .with("id", &*drive.id)
        .maybe("bus", bus)
        .maybe("unit", slot.and_then(|slot| slot.unit))
        .maybe("drive", drive.image.as_ref().map(|_| &*drive.id));
    if drive.bus.is_plain_block() {
        let serial = match (&drive.serial, drive.bus) {
            (Some(serial), _) => Some(&**serial),
            // An NVMe disk without a serial number is refused.
            (None, Bus::Nvme) => Some(&*drive.id),
            (None, _) => None,
        };
        let cache = drive.cache.map(|cache| if cache.writeback { "on" } else { "off" });
        device = device.maybe("serial", serial).maybe("write-cache", cache);
    }
    if drive.bus.boots() {
        device = device.maybe("bootindex", drive.bootindex);
    }
    if drive.iothread && drive.bus == Bus::Virtio {
        device = device.with("iothread", format!("iothread-{}", drive.id));
    }
    device
        .maybe("share-rw", drive.shareable.then_some(true))
        .maybe("werror", drive.werror.as_deref())
        .maybe("rerror", drive.rerror.as_deref())
        .extra(drive.extra.as_deref())
        .asked_by(key, value)
}
