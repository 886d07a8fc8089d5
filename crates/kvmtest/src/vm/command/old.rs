//! Old spellings, and what they mean today.

use std::borrow::Cow;

use crate::params::Params;

/// Keys by their old name, and the name they have now. Where both are set, the new one counts.
pub const OLD_KEYS: &[(&str, &str)] = &[
    ("kernel_cmdline", "kernel_params"),
    ("kernel_cmdline_extra", "kernel_params_extra"),
    ("hugepages", "hugepage"),
    ("hugepage_path", "mem_path"),
    ("pcie_extra_root_port", "hotplug_ports"),
    ("maxmem_mem", "mem_max"),
    ("slots_mem", "mem_slots"),
];

/// Values by their old spelling: the key, the old value, the value it has now.
pub const OLD_VALUES: &[(&str, &str, &str)] = &[
    ("display", "nographic", "none"),
    ("drive_format", "virtio", "virtio_blk"),
    ("drive_format", "virtio-blk-pci", "virtio_blk"),
    ("drive_format", "virtio-scsi-pci", "virtio_scsi"),
    ("drive_format", "scsi-hd", "virtio_scsi"),
    ("drive_format", "sata", "ahci"),
    ("drive_format", "usb", "usb2"),
    ("cd_format", "scsi-cd", "virtio_scsi"),
    ("cd_format", "sata", "ahci"),
    ("cd_format", "usb", "usb2"),
    ("image_format", "vhd", "vpc"),
    ("nic_model", "virtio", "virtio-net-pci"),
    ("nic_model", "virtio_net", "virtio-net-pci"),
    ("nic_model", "ne2k", "ne2k_pci"),
    ("monitor_type", "hmp", "human"),
    ("usb_controller", "usb1", "uhci"),
    ("usb_controller", "usb2", "ehci"),
    ("usb_controller", "usb3", "xhci"),
];

/// `params` with every old key under its new name as well.
pub(super) fn modernised(params: &Params) -> Cow<'_, Params> {
    let mut result = Cow::Borrowed(params);
    for (old, new) in OLD_KEYS {
        if params.find(new).is_some() {
            continue;
        }
        if let Some((_, value)) = params.values().find(|(key, _)| key == old) {
            result.to_mut().insert(*new, value.clone());
        }
    }
    result
}

/// The value of `key` as it is spelt now.
pub(super) fn value<'a>(key: &str, text: &'a str) -> &'a str {
    OLD_VALUES.iter().find(|row| row.0 == key && row.1 == text).map_or(text, |row| row.2)
}
