//! What the tests build command lines with.

use super::super::{CommandLine, Facts, GuestParts, Paths, Request, build};
use crate::error::Result;
use crate::params::Params;

/// A binary that has what the tests need, and no more.
pub(super) struct Binary {
    pub(super) version: (u32, u32),
    pub(super) devices: Vec<String>,
    pub(super) machines: Vec<String>,
    pub(super) netdevs: Vec<String>,
    pub(super) options: Vec<String>,
}

impl Binary {
    /// A binary as Debian 12 has it.
    pub(super) fn usual() -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Self {
            version: (7, 2),
            devices: words(
                "VGA ati-vga bochs-display cirrus-vga e1000 e1000e floppy i6300esb ib700 ich9-ahci \
                 ide-cd ide-hd isa-debug-exit isa-debugcon isa-fdc lsi53c895a megasas ne2k_isa ne2k_pci nvme \
                 pc-testdev pcie-root-port piix3-usb-uhci pvpanic pvpanic-pci qemu-xhci qxl \
                 qxl-vga rtl8139 scsi-cd scsi-hd sd-card sdhci-pci usb-ehci usb-net usb-storage \
                 usb-tablet vfio-pci virtio-balloon-pci virtio-blk-device virtio-blk-pci \
                 virtio-net-device virtio-net-pci virtio-rng-device virtio-rng-pci \
                 virtio-scsi-device virtio-scsi-pci virtio-serial-device virtio-serial-pci \
                 virtio-vga virtserialport vmgenid vmware-svga",
            ),
            machines: words("q35 pc-q35-7.2 pc pc-i440fx-7.2 microvm none"),
            netdevs: words("socket stream dgram hubport tap user bridge vhost-user"),
            options: words("spice"),
        }
    }

    /// A binary without the device `name`.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.devices.retain(|device| device != name);
        self
    }
}

impl Facts for Binary {
    fn version(&self) -> (u32, u32) {
        self.version
    }

    fn devices(&self) -> Vec<&str> {
        self.devices.iter().map(String::as_str).collect()
    }

    fn machines(&self) -> Vec<&str> {
        self.machines.iter().map(String::as_str).collect()
    }

    fn netdevs(&self) -> Vec<&str> {
        self.netdevs.iter().map(String::as_str).collect()
    }

    fn has_option(&self, name: &str) -> bool {
        self.options.iter().any(|option| option == name)
    }
}

/// Params from lines of `key = value`.
pub(super) fn params(text: &str) -> Params {
    let pair = |line: &str| {
        let (key, value) = line.split_once('=').expect("`key = value`");
        (key.trim().to_owned(), value.trim().to_owned())
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(pair).collect()
}

/// Where nothing lies.
pub(super) fn nowhere() -> Paths {
    Paths {
        program: "/usr/bin/qemu-system-x86_64".into(),
        instance: "/run/vm1".into(),
        scratch: "/scratch/vm1".into(),
        images: "/images".into(),
        overlays: None,
        own_images: std::collections::BTreeMap::new(),
        memory: None,
        layers: None,
    }
}

/// The guest `small`, where nothing lies.
pub(super) fn small() -> GuestParts {
    GuestParts {
        name: "small".to_owned(),
        kernel: "/guests/small/vmlinuz".into(),
        initrd: "/guests/small/initrd".into(),
        data_disk: "/guests/small/data.qcow2".into(),
        kernel_params: "console=ttyS0 quiet".to_owned(),
    }
}

/// The command line for `params` on the usual binary; `guest = small` is the guest `small`.
pub(super) fn line(params: &Params) -> Result<CommandLine> {
    line_on(&Binary::usual(), params)
}

/// The same on another binary.
pub(super) fn line_on(facts: &dyn Facts, params: &Params) -> Result<CommandLine> {
    line_in(&nowhere(), facts, params)
}

/// The same in other places.
pub(super) fn line_in(paths: &Paths, facts: &dyn Facts, params: &Params) -> Result<CommandLine> {
    let small = small();
    let guest = (params.find("guest") == Some("small")).then_some(&small);
    build(&Request { name: "vm1", params, facts, accel: "tcg", guest, paths, seed: "seed" })
}

/// The values of every `-option`.
pub(super) fn values<'a>(line: &'a CommandLine, option: &str) -> Vec<&'a str> {
    let option = format!("-{option}");
    line.args.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
}
