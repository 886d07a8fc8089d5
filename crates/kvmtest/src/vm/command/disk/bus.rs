//! What a drive is plugged into.

use super::super::usb::Controller;
use super::super::uses::ImageKind;

/// What a drive is plugged into: `drive_format` and `cd_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bus {
    /// virtio-blk: the disk is a device of its own.
    Virtio,
    /// virtio-scsi.
    VirtioScsi,
    /// A SCSI host adapter of `scsi_hba`.
    Scsi,
    /// The board's own IDE, or the six SATA ports of `q35`.
    Ide,
    /// SATA: the board's own on `q35`, a controller of its own elsewhere.
    Ahci,
    /// NVMe: the disk is a device of its own.
    Nvme,
    /// A USB stick.
    Usb(Controller),
    /// An SD card in a reader of its own.
    Sd,
    /// The floppy controller.
    Floppy,
}

impl Bus {
    /// The names in `params`, and which kind of drive can have them.
    const NAMES: &[(&str, Self, &[ImageKind])] = {
        const DISK: &[ImageKind] = &[ImageKind::Disk];
        const BOTH: &[ImageKind] = &[ImageKind::Disk, ImageKind::Cdrom];
        &[
            ("virtio_blk", Self::Virtio, DISK),
            ("virtio_scsi", Self::VirtioScsi, BOTH),
            ("scsi", Self::Scsi, BOTH),
            ("ide", Self::Ide, BOTH),
            ("ahci", Self::Ahci, BOTH),
            ("nvme", Self::Nvme, DISK),
            ("usb1", Self::Usb(Controller::Uhci), DISK),
            ("usb2", Self::Usb(Controller::Ehci), DISK),
            ("usb3", Self::Usb(Controller::Xhci), DISK),
            ("sd", Self::Sd, DISK),
            ("floppy", Self::Floppy, DISK),
        ]
    };

    /// The names that a drive of `kind` may have.
    pub(super) fn names(kind: ImageKind) -> Vec<&'static str> {
        Self::NAMES.iter().filter(|row| row.2.contains(&kind)).map(|row| row.0).collect()
    }

    /// The bus called `name`.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// Whether the device takes `bootindex`.
    pub(super) fn boots(self) -> bool {
        !matches!(self, Self::Sd | Self::Floppy)
    }

    /// Whether the device takes `serial` and `write-cache`.
    pub(super) fn is_plain_block(self) -> bool {
        !matches!(self, Self::Sd | Self::Floppy)
    }

    /// Whether the device takes `werror` and `rerror`.
    pub(super) fn handles_errors(self) -> bool {
        !matches!(self, Self::Sd | Self::Floppy | Self::Nvme)
    }

    /// Whether the device takes `share-rw`.
    pub(super) fn shares(self) -> bool {
        !matches!(self, Self::Sd)
    }

    /// Whether an I/O thread can serve it.
    pub(super) fn threads(self) -> bool {
        matches!(self, Self::Virtio | Self::VirtioScsi)
    }
}
