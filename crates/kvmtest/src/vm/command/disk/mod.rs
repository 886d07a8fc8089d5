//! Disks, CD-ROMs and the floppy disk: block nodes, the devices in front of them, and the
//! controllers that these need.

mod blockdev;
mod bus;
mod cache;
mod controller;
mod device;
mod drive;
mod image;
mod slot;

use super::argument::Argument;
use super::bootindex::Bootindices;
use super::plan::Plan;
use super::usb::Controller;
use super::uses::ImageUse;
use crate::error::Result;
use bus::Bus;
use drive::Drive;
pub(crate) use image::{file as image_file, overlay as image_overlay};

/// Everything that stores, in the order in which the guest is to find it.
pub(super) struct Storage {
    drives: Vec<Drive>,
}

/// The names that a list stands for where `params` do not set it: a guest of our own has a disk.
pub(super) fn default_objects(plan: &Plan, list: &str) -> &'static [&'static str] {
    match list {
        "images" if plan.request.guest.is_some() => &["image1"],
        _ => &[],
    }
}

impl Storage {
    /// The drives that `params` describe.
    pub(super) fn of(plan: &Plan, bootindices: &Bootindices) -> Result<Self> {
        let mut drives = drive::disks(plan, bootindices)?;
        drives.extend(drive::cdroms(plan, bootindices)?);
        drives.extend(drive::floppy(plan)?);
        // `drive_index` is an order; what has none comes after, as it was listed.
        drives.sort_by_key(|drive| drive.index.unwrap_or(u64::MAX));
        Ok(Self { drives })
    }

    /// The USB controllers that drives are plugged into.
    pub(super) fn usb_controllers(&self) -> impl Iterator<Item = Controller> {
        self.drives.iter().filter_map(|drive| match drive.bus {
            Bus::Usb(controller) => Some(controller),
            _ => None,
        })
    }

    /// The arguments for controllers, nodes and devices, and the images.
    pub(super) fn arguments(&self, plan: &Plan) -> Result<(Vec<Argument>, Vec<ImageUse>)> {
        let slots = slot::assign(plan, &self.drives)?;
        let mut arguments = controller::arguments(plan, &self.drives)?;
        let mut images = Vec::new();
        for (drive, slot) in self.drives.iter().zip(slots) {
            arguments.extend(blockdev::argument(drive));
            if drive.iothread && drive.bus == Bus::Virtio {
                arguments.push(controller::iothread(&drive.id));
            }
            arguments.push(device::argument(plan, drive, slot.as_ref()).into());
            images.extend(drive.image_use(&device::model(plan, drive)));
        }
        Ok((arguments, images))
    }
}
