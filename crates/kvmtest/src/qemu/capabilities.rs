//! What a QEMU binary can do, as it said itself.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Version;

/// What a QEMU binary can do. Names are QEMU's own.
///
/// Read from JSON, what is not named is not there: so a test makes the binary that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    pub(super) version: Version,
    pub(super) package: String,
    pub(super) target: String,
    pub(super) accelerators: BTreeSet<String>,
    pub(super) machines: Vec<Machine>,
    pub(super) cpus: BTreeSet<String>,
    pub(super) devices: BTreeSet<String>,
    pub(super) objects: BTreeSet<String>,
    pub(super) chardevs: BTreeSet<String>,
    pub(super) netdevs: BTreeSet<String>,
    pub(super) block_drivers: BTreeSet<String>,
    pub(super) migration: BTreeSet<String>,
    pub(super) commands: BTreeMap<String, BTreeSet<String>>,
    pub(super) events: BTreeSet<String>,
    pub(super) options: BTreeMap<String, BTreeSet<String>>,
}

/// A machine type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The full name: `pc-q35-7.2`.
    pub name: String,
    /// The other name: `q35`.
    pub alias: Option<String>,
    /// Whether it is taken when none is named.
    pub is_default: bool,
    /// Whether QEMU says that it will go away.
    pub deprecated: bool,
    /// How many vCPUs it takes at most.
    pub max_cpus: u64,
}

impl Capabilities {
    /// The version of QEMU.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What the distribution calls its build; may be empty.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The architecture that is emulated: `x86_64`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether the accelerator (`kvm`, `tcg`) was compiled in; that says nothing about the host.
    pub fn has_accelerator(&self, name: &str) -> bool {
        self.accelerators.contains(name)
    }

    /// All machine types.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machine type with this name or alias.
    pub fn machine(&self, name_or_alias: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name == name_or_alias).or_else(|| {
            self.machines.iter().find(|machine| machine.alias.as_deref() == Some(name_or_alias))
        })
    }

    /// Whether there is a machine type with this name or alias.
    pub fn has_machine(&self, name_or_alias: &str) -> bool {
        self.machine(name_or_alias).is_some()
    }

    /// All CPU models.
    pub fn cpus(&self) -> impl Iterator<Item = &str> {
        self.cpus.iter().map(String::as_str)
    }

    /// Whether there is a CPU model of this name.
    pub fn has_cpu(&self, name: &str) -> bool {
        self.cpus.contains(name)
    }

    /// All device types that can be made.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.devices.iter().map(String::as_str)
    }

    /// Whether there is a device type of this name: `e1000`.
    pub fn has_device(&self, name: &str) -> bool {
        self.devices.contains(name)
    }

    /// Whether `-object` takes this type: `memory-backend-memfd`.
    pub fn has_object(&self, name: &str) -> bool {
        self.objects.contains(name)
    }

    /// Whether `-chardev` takes this backend: `socket`.
    pub fn has_chardev(&self, name: &str) -> bool {
        self.chardevs.contains(name)
    }

    /// All that `-netdev` takes: `user`, `tap`, `stream`.
    pub fn netdev_types(&self) -> impl Iterator<Item = &str> {
        self.netdevs.iter().map(String::as_str)
    }

    /// Whether `-netdev` takes this type; some distributions leave out `user`.
    pub fn has_netdev(&self, name: &str) -> bool {
        self.netdevs.contains(name)
    }

    /// Whether `-blockdev` knows this driver; that it is a module which is not installed cannot be
    /// told before it is used.
    pub fn has_block_driver(&self, name: &str) -> bool {
        self.block_drivers.contains(name)
    }

    /// Whether migration has this capability: `x-ignore-shared`.
    pub fn has_migration_capability(&self, name: &str) -> bool {
        self.migration.contains(name)
    }

    /// Whether QMP has this command.
    pub fn has_command(&self, name: &str) -> bool {
        self.commands.contains_key(name)
    }

    /// Whether this QMP command takes this argument: `screendump` and `format`.
    pub fn has_argument(&self, command: &str, argument: &str) -> bool {
        self.commands.get(command).is_some_and(|arguments| arguments.contains(argument))
    }

    /// Whether QMP has this event.
    pub fn has_event(&self, name: &str) -> bool {
        self.events.contains(name)
    }

    /// Whether the command line has this option, named without its dash: `no-hpet`.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// Whether this option of the command line takes this parameter: `machine` and `hpet`. Known
    /// of the options that QEMU lists itself, which `-device` and `-object` are not.
    pub fn has_option_parameter(&self, option: &str, parameter: &str) -> bool {
        self.options.get(option).is_some_and(|parameters| parameters.contains(parameter))
    }
}
