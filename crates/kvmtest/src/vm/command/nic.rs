//! Network interfaces.

use super::argument::{Argument, Device};
use super::bootindex::Bootindices;
use super::machine::Family;
use super::plan::{Object, Plan};
use super::uses::{NicUse, RedirUse};
use super::{boot, identity, netdev, old, read, redirection, usb};
use crate::error::{Context as _, Result};
use crate::params::Params;

/// Models that are no PCI devices, and so have no option ROM.
const WITHOUT_ROM: &[&str] = &["usb-net", "ne2k_isa", "virtio-net-device"];

/// The interfaces that `params` describe.
pub(super) struct Nics {
    nics: Vec<(Object, NicUse)>,
    redirs: Vec<RedirUse>,
}

impl Nics {
    /// The interfaces of `nics`, with the redirections that go through them.
    pub(super) fn of(plan: &Plan) -> Result<Self> {
        let mut nics = Vec::new();
        for object in plan.objects("nics", &[])? {
            let nic = nic(plan, &object).with_context(|| format!("nic `{}`", object.name))?;
            nics.push((object, nic));
        }
        let redirs = redirection::redirections(plan, nics.iter().map(|(_, nic)| nic))?;
        Ok(Self { nics, redirs })
    }

    /// The USB controller that an interface is plugged into, if one is.
    pub(super) fn usb_controller(&self, params: &Params) -> Result<Option<usb::Controller>> {
        let is_usb = self.nics.iter().any(|(_, nic)| nic.model == "usb-net");
        is_usb.then(|| usb::preferred(params)).transpose()
    }

    /// The arguments for backends and devices.
    pub(super) fn arguments(
        &self,
        plan: &Plan,
        bootindices: &Bootindices,
        loads_kernel: bool,
    ) -> Result<Vec<Argument>> {
        let mut arguments = Vec::new();
        for (object, nic) in &self.nics {
            let place = || format!("nic `{}`", object.name);
            if nic.netdev.is_some() {
                let options =
                    netdev::options(plan, object, nic, &self.redirs).with_context(place)?;
                arguments.push(Argument::Option("netdev", options));
            }
            let bootindex = bootindices.get(&("nics", object.name.clone())).copied();
            // The ROM's start-up costs every boot some 20 ms under emulation.
            let needs_rom =
                bootindex.is_some() || !loads_kernel || boot::may_use_network(plan.params);
            let device = device(plan.params, object, nic)
                .with_context(place)?
                .maybe("bootindex", bootindex)
                .maybe(
                    "romfile",
                    (!needs_rom && !WITHOUT_ROM.contains(&&*nic.model)).then_some(""),
                );
            arguments.push(device.into());
        }
        Ok(arguments)
    }

    /// The interfaces and the redirections, for the rest of the library.
    pub(super) fn into_uses(self) -> (Vec<NicUse>, Vec<RedirUse>) {
        (self.nics.into_iter().map(|(_, nic)| nic).collect(), self.redirs)
    }
}

fn nic(plan: &Plan, object: &Object) -> Result<NicUse> {
    let params = &object.params;
    let mode = netdev::mode(plan, params)?;
    let mac = match params.find_nonempty("nic_mac") {
        Some(text) => mac(text).ok_or_else(|| {
            let what = "a unicast MAC address, six pairs of hexadecimal digits: \
                        `9a:00:00:12:34:56`";
            params.wrong("nic_mac", what)
        })?,
        None => identity::mac(plan.request.seed, &object.name),
    };
    Ok(NicUse {
        name: object.name.clone(),
        id: format!("nic-{}", object.label),
        netdev: (mode != "none").then(|| format!("net-{}", object.label)),
        mac,
        mode: mode.to_owned(),
        model: model(plan, params),
        ifname: netdev::ifname(params)?,
    })
}

fn model(plan: &Plan, params: &Params) -> String {
    let virtio = plan.virtio("net");
    match params.find_nonempty("nic_model").map(|text| old::value("nic_model", text.trim())) {
        // Whoever says `virtio` means the one that fits the machine.
        Some("virtio-net-pci") if plan.machine.family == Family::Microvm => virtio,
        Some(model) => model.to_owned(),
        None if plan.request.guest.is_some() => virtio,
        None => "rtl8139".to_owned(),
    }
}

fn device(params: &Params, object: &Object, nic: &NicUse) -> Result<Device> {
    let mut device = Device::new(&*nic.model)
        .with("id", &*nic.id)
        .maybe("netdev", nic.netdev.as_deref())
        .with("mac", &*nic.mac)
        .extra(object.params.find_nonempty("nic_extra_params"))
        .asked_by("nic_model", &nic.model);
    if nic.model == "usb-net" {
        device = device.with("bus", usb::preferred(params)?.bus());
    }
    if let Some(queues) = read::number(&object.params, "nic_queues", 1, 256)?
        && queues > 1
        && nic.model.starts_with("virtio-net")
    {
        // One vector for each queue in each direction, one for control, one for configuration.
        device = device.with("mq", true);
        if nic.model.starts_with("virtio-net-pci") {
            device = device.with("vectors", 2 * queues + 2);
        }
    }
    Ok(device)
}

fn mac(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase().replace('-', ":");
    let bytes: Vec<u8> = text
        .split(':')
        .map(|pair| {
            let is_hex = pair.len() == 2 && pair.chars().all(|c| c.is_ascii_hexdigit());
            is_hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        })
        .collect::<Option<_>>()?;
    (bytes.len() == 6 && bytes[0] & 1 == 0).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_checked() {
        for (text, want) in [
            ("9A-00-00-12-34-56", Some("9a:00:00:12:34:56")),
            (" 52:54:00:12:34:56 ", Some("52:54:00:12:34:56")),
            ("01:00:5e:00:00:01", None),
            ("9a:00:00:12:34", None),
            ("9a:00:00:12:34:+6", None),
            ("9a:00:00:12:34:56,netdev=x", None),
        ] {
            assert_eq!(mac(text).as_deref(), want, "{text}");
        }
    }
}
