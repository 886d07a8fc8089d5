//! Devices of the host that are given to the guest.

use super::argument::{Argument, Device};
use crate::error::Result;
use crate::params::Params;

/// The arguments for the host's PCI devices in `pci_assignable`.
pub(super) fn arguments(params: &Params) -> Result<Vec<Argument>> {
    const KEY: &str = "pci_assignable";
    let mut arguments = Vec::new();
    for (index, address) in params.objects(KEY).into_iter().enumerate() {
        if address == "no" {
            continue;
        }
        let Some(address) = full(address) else {
            let what = "`no` or addresses on the host, as `lspci` shows them: `0000:01:00.0`";
            return Err(params.wrong(KEY, what));
        };
        let device = Device::new("vfio-pci")
            .with("id", format!("host{index}"))
            .with("host", &*address)
            .asked_by(KEY, &address);
        arguments.push(device.into());
    }
    Ok(arguments)
}

/// `domain:bus:slot.function`, where the domain may be left out.
fn full(address: &str) -> Option<String> {
    let (rest, function) = address.rsplit_once('.')?;
    let fields: Vec<&str> = rest.split(':').collect();
    let (domain, bus, slot) = match fields[..] {
        [bus, slot] => ("0000", bus, slot),
        [domain, bus, slot] => (domain, bus, slot),
        _ => return None,
    };
    let hex = |text: &str, length: usize| {
        text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit())
    };
    let fit = hex(domain, 4) && hex(bus, 2) && hex(slot, 2) && hex(function, 1);
    fit.then(|| format!("{domain}:{bus}:{slot}.{function}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_lspci() {
        for (text, want) in [
            ("01:00.0", Some("0000:01:00.0")),
            ("0001:af:1f.7", Some("0001:af:1f.7")),
            ("vf", None),
            ("1:0.0", None),
            ("0000:01:00", None),
            ("0000:01:00.0,rombar=0", None),
        ] {
            assert_eq!(full(text).as_deref(), want, "{text}");
        }
    }
}
