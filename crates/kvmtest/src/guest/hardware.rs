//! Which of the guest's drivers a device model of QEMU needs.

use super::built::Guest;
use super::recipe::{RECIPES, normalised};
use super::store::GuestStore;
use crate::error::{Error, ErrorKind, Result};

impl Guest {
    /// Fails where one of `models`, names of QEMU's device models, needs a driver that this guest
    /// lacks, and names the guest that has it: built in `store`, or as its recipe promises.
    ///
    /// A model that is not known here is taken to need nothing. A disk needs the driver of its
    /// controller, so the controller has to be among the models, too (`ich9-ahci`).
    pub fn check_hardware(&self, models: &[&str], store: &GuestStore) -> Result<()> {
        for model in models {
            if let Some(driver) = missing(model, |driver| self.has_driver(driver)) {
                let lack = format!("guest `{}` has no driver for `{model}`", self.name);
                let advice = match guest_with(model, store) {
                    Some(other) => format!("guest `{other}` has it (`guest = {other}`)"),
                    None => format!("it would be the kernel module `{driver}`"),
                };
                return Err(Error::new(ErrorKind::Guest, format!("{lack}: {advice}")));
            }
        }
        Ok(())
    }
}

/// The first driver that `model` needs and that is not there.
fn missing(model: &str, has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let needed = MODELS.iter().find(|(models, _)| models.contains(&model))?.1;
    needed.iter().find(|alternatives| !alternatives.split('|').any(&has)).copied()
}

fn guest_with(model: &str, store: &GuestStore) -> Option<&'static str> {
    RECIPES.iter().map(|recipe| (recipe, store.find(recipe.name))).find_map(|(recipe, built)| {
        let lacks = if let Ok(guest) = built {
            missing(model, |driver| guest.has_driver(driver))
        } else {
            let known = recipe.parse().ok()?.modules.known;
            let known: Vec<String> = known.iter().map(|name| normalised(name)).collect();
            missing(model, |driver| known.contains(&normalised(driver)))
        };
        lacks.is_none().then_some(recipe.name)
    })
}

/// Device models, and the modules that they need; `a|b` is satisfied by either.
///
/// `vmgenid` is left out: a machine has it without being asked, and a guest without its driver
/// loses nothing that it had.
static MODELS: &[(&[&str], &[&str])] = &[
    // Networks.
    (
        &[
            "virtio-net-pci",
            "virtio-net-pci-non-transitional",
            "virtio-net-pci-transitional",
            "virtio-net-device",
        ],
        &["virtio_net"],
    ),
    (&["e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em"], &["e1000"]),
    (&["e1000e"], &["e1000e"]),
    (&["igb"], &["igb"]),
    (&["rtl8139"], &["8139cp|8139too"]),
    (&["ne2k_pci"], &["ne2k_pci"]),
    (&["pcnet"], &["pcnet32"]),
    (&["tulip"], &["tulip"]),
    (&["vmxnet3"], &["vmxnet3"]),
    (&["usb-net"], &["cdc_ether|rndis_host"]),
    (
        &["i82550", "i82551", "i82557a", "i82557b", "i82557c", "i82558a", "i82559c", "i82801"],
        &["e100"],
    ),
    // Storage.
    (
        &["virtio-blk-pci", "virtio-blk-pci-non-transitional", "virtio-blk-pci-transitional"],
        &["virtio_blk"],
    ),
    (
        &["virtio-scsi-pci", "virtio-scsi-pci-non-transitional", "virtio-scsi-pci-transitional"],
        &["virtio_scsi"],
    ),
    (&["scsi-hd", "scsi-block"], &["sd_mod"]),
    (&["scsi-cd"], &["sr_mod"]),
    (&["nvme"], &["nvme"]),
    (&["ahci", "ich9-ahci"], &["ahci"]),
    (&["piix3-ide", "piix4-ide"], &["ata_piix"]),
    (&["ide-hd"], &["ahci|ata_piix", "sd_mod"]),
    (&["ide-cd"], &["ahci|ata_piix", "sr_mod"]),
    (&["lsi53c895a", "lsi53c810", "lsi"], &["sym53c8xx"]),
    (&["megasas", "megasas-gen2"], &["megaraid_sas"]),
    (&["mptsas1068"], &["mptsas"]),
    (&["pvscsi"], &["vmw_pvscsi"]),
    (&["am53c974", "dc390"], &["am53c974"]),
    (&["sdhci-pci"], &["sdhci_pci"]),
    (&["sd-card"], &["mmc_block"]),
    (&["floppy", "isa-fdc"], &["floppy"]),
    (&["virtio-pmem-pci"], &["virtio_pmem"]),
    // USB.
    (
        &["piix3-usb-uhci", "piix4-usb-uhci", "ich9-usb-uhci1", "ich9-usb-uhci2", "ich9-usb-uhci3"],
        &["uhci_hcd"],
    ),
    (&["usb-ehci", "ich9-usb-ehci1", "ich9-usb-ehci2"], &["ehci_pci"]),
    (&["qemu-xhci", "nec-usb-xhci"], &["xhci_pci"]),
    (&["pci-ohci"], &["ohci_pci"]),
    (&["usb-storage", "usb-bot"], &["usb_storage", "sd_mod"]),
    (&["usb-uas"], &["uas", "sd_mod"]),
    (&["usb-tablet", "usb-mouse", "usb-kbd"], &["usbhid"]),
    // Shared directories.
    (&["virtio-9p-pci", "virtio-9p-device"], &["9p", "9pnet_virtio"]),
    (&["vhost-user-fs-pci"], &["virtiofs"]),
    // The rest.
    (&["i6300esb"], &["i6300esb"]),
    (&["iTCO"], &["iTCO_wdt"]),
    (&["ib700"], &["ib700wdt"]),
    (&["pvpanic"], &["pvpanic_mmio|pvpanic"]),
    (&["pvpanic-pci"], &["pvpanic_pci"]),
    (&["virtio-balloon-pci"], &["virtio_balloon"]),
    (&["virtio-rng-pci"], &["virtio_rng"]),
    (&["virtio-serial-pci", "virtconsole", "virtserialport"], &["virtio_console"]),
    (
        &["virtio-keyboard-pci", "virtio-mouse-pci", "virtio-tablet-pci", "virtio-input-host-pci"],
        &["virtio_input"],
    ),
    (&["virtio-mem-pci"], &["virtio_mem"]),
    (&["virtio-crypto-pci"], &["virtio_crypto"]),
    (&["vhost-vsock-pci"], &["vmw_vsock_virtio_transport"]),
    (&["tpm-crb"], &["tpm_crb"]),
    (&["tpm-tis"], &["tpm_tis"]),
];
