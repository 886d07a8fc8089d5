//! Old spellings, and what they mean today.

use std::borrow::Cow;

use super::{script, words};
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

/// Words of `extra_params` that QEMU no longer takes, and the key and value that they stand for.
pub const OLD_FLAGS: &[(&[&str], &str, &str)] = &[
    (&["-no-hpet"], "disable_hpet", "yes"),
    (&["-no-acpi"], "acpi", "no"),
    (&["-rtc-td-hack"], "rtc_drift", "slew"),
    (&["-tdf"], "rtc_drift", "slew"),
    (&["-usbdevice", "tablet"], "tablet", "yes"),
];

/// `params` with every old key under its new name as well, and without old words in
/// `extra_params`.
pub(super) fn modernised(params: &Params) -> Cow<'_, Params> {
    let mut result = renamed(params);
    let text = params.get_or("extra_params", "");
    // What cannot be read is refused later, where its key and place are named.
    let Ok(mut rest) = words::split(text) else { return result };
    for (flag, key, value) in OLD_FLAGS {
        while let Some(at) = rest.windows(flag.len()).position(|found| found == *flag) {
            rest.drain(at..at + flag.len());
            let params = result.to_mut();
            params.set_default(key, *value);
            let rest: Vec<String> = rest.iter().map(|word| script::quote(word)).collect();
            params.set("extra_params", rest.join(" "));
        }
    }
    result
}

fn renamed(params: &Params) -> Cow<'_, Params> {
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
