//! Where a guest's network ports are to be found on the host.

use super::Vm;
use crate::error::{Error, ErrorKind, Result};

impl Vm {
    /// The address at which the guest's network card number `nic` (from 0) answers.
    pub fn get_address(&self, nic: usize) -> Result<String> {
        let record = self.running()?;
        let nic = record.line.nics.get(nic).ok_or_else(|| {
            Error::new(
                ErrorKind::VmAddress,
                format!("the VM `{}` has no network card number {nic}", self.name()),
            )
        })?;
        match nic.mode.as_str() {
            "user" => Ok("127.0.0.1".to_owned()),
            mode => Err(Error::new(
                ErrorKind::VmAddress,
                format!(
                    "the address of the network card `{}` is not known to the host \
                     (`nic_mode = {mode}`): give it in `ip_{}`",
                    nic.name, nic.name
                ),
            ))
            .or_else(|error| {
                self.params().find(&format!("ip_{}", nic.name)).map(str::to_owned).ok_or(error)
            }),
        }
    }

    /// The port of the host that leads to the guest's TCP port `guest_port` on the network card
    /// number `nic`. The kernel chose it when QEMU started, so QEMU is asked.
    pub fn get_port(&self, guest_port: u16, nic: usize) -> Result<u16> {
        let record = self.running()?;
        let mode = record.line.nics.get(nic).map(|nic| nic.mode.clone());
        if mode.as_deref() != Some("user") {
            return Ok(guest_port);
        }
        let text = self.monitor()?.human("info usernet")?;
        forwarded(&text, guest_port).ok_or_else(|| {
            Error::new(
                ErrorKind::VmAddress,
                format!(
                    "no port of the host leads to port {guest_port} of the VM `{}`: name a \
                     redirection in `redirs` and its `guest_port_<name> = {guest_port}`",
                    self.name()
                ),
            )
        })
    }
}

/// Finds the host's port in what `info usernet` prints: protocol, descriptor, source address and
/// port, destination address and port, queues.
fn forwarded(text: &str, guest_port: u16) -> Option<u16> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_forward = words.next() == Some("TCP[HOST_FORWARD]");
        let mut words = words.skip(2);
        let host: u16 = words.next()?.parse().ok()?;
        let guest: u16 = words.nth(1)?.parse().ok()?;
        (is_forward && guest == guest_port).then_some(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_port_is_found_in_what_qemu_prints() {
        let text = "Hub -1 (net0):\n  \
            Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n  \
            TCP[HOST_FORWARD]  13       127.0.0.1 37235       10.0.2.15    22     0     0\n  \
            TCP[ESTABLISHED]   15       127.0.0.1 40000       10.0.2.15    80     0     0\n";
        assert_eq!(forwarded(text, 22), Some(37235));
        assert_eq!(forwarded(text, 80), None, "a connection is no forward");
        assert_eq!(forwarded("", 22), None);
    }
}
