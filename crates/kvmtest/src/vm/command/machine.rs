//! `-machine`, `-accel`, `-action`: the board and what runs it.

use super::argument::{Argument, Device, Options};
use super::plan::Plan;
use super::{memory, read};
use crate::error::Result;
use crate::params::Params;

/// The machine type, and the family that decides which buses there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    /// As `machine_type` says: `q35`, `pc-i440fx-7.2`.
    pub(super) name: String,
    /// Its family.
    pub(super) family: Family,
}

/// What machine types have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// ICH9: PCI Express, six SATA ports.
    Q35,
    /// i440FX: PCI, two IDE channels, a floppy controller.
    Pc,
    /// No PCI: virtio over MMIO.
    Microvm,
    /// PCI and nothing else that is known: `virt` of other architectures.
    Other,
}

impl Machine {
    /// The machine that `params` name; where they name none, `q35`, or `virt` where a binary for
    /// another architecture has no `q35`.
    pub(super) fn of(params: &Params, machines: &[&str]) -> Self {
        let fallback = if machines.contains(&"q35") { "q35" } else { "virt" };
        let name = params.find_nonempty("machine_type").unwrap_or(fallback).trim();
        let family = match name {
            "microvm" => Family::Microvm,
            _ if name == "q35" || name.starts_with("pc-q35-") => Family::Q35,
            _ if name == "pc" || name.starts_with("pc-i440fx-") => Family::Pc,
            _ => Family::Other,
        };
        Self { name: name.to_owned(), family }
    }
}

/// The arguments for the board, the accelerator, and for what happens when the guest resets,
/// shuts down or panics.
pub(super) fn arguments(plan: &Plan) -> Result<Vec<Argument>> {
    let name = &plan.machine.name;
    if !plan.request.facts.has_machine(name) {
        return Err(plan.lacks("machine type", name, &plan.request.facts.machines()));
    }
    let mut arguments = vec![
        Argument::Option("machine", machine(plan)?),
        Argument::Option("accel", accelerator(plan)),
        Argument::Option("action", actions(plan)?),
    ];
    if plan.machine.family == Family::Q35 {
        arguments.extend(hotplug_ports(plan.params)?);
    }
    Ok(arguments)
}

fn machine(plan: &Plan) -> Result<String> {
    let params = plan.params;
    let mut options = Options::of(&plan.machine.name);
    if read::flag(params, "disable_hpet", false)? {
        // `-no-hpet` is gone in later versions; the property is there since 6.0.
        options = options.with("hpet", "off");
    }
    if let Some(acpi) = read::flag_if_set(params, "acpi")? {
        options = options.with("acpi", if acpi { "on" } else { "off" });
    }
    if memory::has_backend(plan)? {
        options = options.with("memory-backend", memory::backend_id(plan.machine.family));
    }
    Ok(options.verbatim(params.find("machine_type_extra_params")).finish())
}

fn accelerator(plan: &Plan) -> String {
    Options::of(plan.request.accel)
        .verbatim(plan.params.find_nonempty("accel_extra_params"))
        .finish()
}

/// `pause` for a panic keeps the memory and the registers as they were when it happened, for a
/// dump; `cont` lets the guest finish its last words. The event comes either way.
fn actions(plan: &Plan) -> Result<String> {
    let params = plan.params;
    let panic = read::choice(
        params,
        "panic_action",
        "pause",
        &["pause", "none", "shutdown", "exit-failure"],
    )?;
    let reboot = read::choice_if_set(params, "reboot_action", &["reset", "shutdown"])?;
    let shutdown = read::choice_if_set(params, "shutdown_action", &["poweroff", "pause"])?;
    let watchdog = read::choice_if_set(
        params,
        "watchdog_action",
        &["reset", "shutdown", "poweroff", "inject-nmi", "pause", "debug", "none"],
    )?;
    Ok(Options::default()
        .with("panic", panic)
        .maybe("reboot", reboot)
        .maybe("shutdown", shutdown)
        .maybe("watchdog", watchdog)
        .finish())
}

/// The root bus of PCI Express takes no devices while the machine runs; a root port takes one.
fn hotplug_ports(params: &Params) -> Result<Vec<Argument>> {
    let count = read::number(params, "hotplug_ports", 0, 24)?.unwrap_or(0);
    let port = |index| {
        Device::new("pcie-root-port")
            .with("id", format!("hotplug{index}"))
            // Chassis 0 is the root complex's.
            .with("chassis", index + 1)
            .asked_by("hotplug_ports", &count.to_string())
            .into()
    };
    Ok((0..count).map(port).collect())
}
