//! What a command line asks of a binary, answered from what the binary said.

use super::command::Facts;
use crate::qemu::Capabilities;

impl Facts for Capabilities {
    fn version(&self) -> (u32, u32) {
        let version = self.version();
        let number = |part: u64| u32::try_from(part).unwrap_or(u32::MAX);
        (number(version.major), number(version.minor))
    }

    fn devices(&self) -> Vec<&str> {
        self.devices().collect()
    }

    fn machines(&self) -> Vec<&str> {
        let aliases = self.machines().iter().filter_map(|machine| machine.alias.as_deref());
        self.machines().iter().map(|m| m.name.as_str()).chain(aliases).collect()
    }

    fn netdevs(&self) -> Vec<&str> {
        self.netdev_types().collect()
    }

    fn has_option(&self, name: &str) -> bool {
        self.has_option(name)
    }
}
