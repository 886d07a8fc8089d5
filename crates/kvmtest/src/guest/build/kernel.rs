//! The kernel and its modules, from unpacked packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::command::{require, run};
use super::elf::Elf;
use super::tree::{Entry, Tree};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::guest::recipe::{Modules, normalised};

/// An unpacked kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    /// What boots.
    pub(super) image: Utf8PathBuf,
    version: String,
    /// Files by the module's name, normalised.
    modules: BTreeMap<String, Utf8PathBuf>,
    /// What needs no loading, normalised.
    builtin: BTreeSet<String>,
}

/// A module as it goes into the guest.
#[derive(Debug)]
struct Module {
    bytes: Vec<u8>,
    depends: Vec<String>,
    aliases: Vec<String>,
}

impl Kernel {
    /// The one kernel in `root`.
    pub(super) fn find(root: &Utf8Path) -> Result<Self> {
        let (image, version) = entries(&root.join("boot"))
            .into_iter()
            .find_map(|path| {
                let version = path.file_name()?.strip_prefix("vmlinuz-")?.to_owned();
                Some((path, version))
            })
            .ok_or_else(|| Error::new(ErrorKind::Guest, "the kernel packages have no kernel"))?;
        let directory = ["lib/modules", "usr/lib/modules"]
            .iter()
            .map(|place| root.join(place).join(&version))
            .find(|directory| directory.is_dir())
            .ok_or_else(|| {
                Error::new(ErrorKind::Guest, format!("the packages of {version} have no modules"))
            })?;
        let builtin = std::fs::read_to_string(directory.join("modules.builtin"))
            .context("reading modules.builtin")?;
        let builtin = builtin.lines().filter_map(|line| name(Utf8Path::new(line))).collect();
        let mut modules = BTreeMap::new();
        walk(&directory.join("kernel"), &mut modules);
        Ok(Self { image, version, modules, builtin })
    }

    /// Adds the modules that are to be included, with what they depend on and the indexes that
    /// `modprobe` reads. Returns all drivers that the guest then has.
    pub(super) fn add_modules(
        &self,
        wanted: &Modules,
        tree: &mut Tree,
        deadline: Deadline,
    ) -> Result<BTreeSet<String>> {
        let included = self.closure(&wanted.include, deadline)?;
        let directory = format!("lib/modules/{}", self.version);
        let mut dependencies = String::new();
        let mut aliases = String::new();
        for (name, module) in &included {
            let _ = write!(dependencies, "{name}.ko:");
            for dependency in all_dependencies(name, &included) {
                let _ = write!(dependencies, " {dependency}.ko");
            }
            dependencies.push('\n');
            for alias in &module.aliases {
                let _ = writeln!(aliases, "alias {alias} {name}");
            }
            tree.add(&format!("{directory}/{name}.ko"), Entry::File(0o644, module.bytes.clone()));
        }
        let load: Vec<String> = wanted
            .load
            .iter()
            .map(|name| normalised(name))
            .filter(|name| included.contains_key(name))
            .collect();
        for (path, text) in [
            (format!("{directory}/modules.dep"), dependencies),
            (format!("{directory}/modules.alias"), aliases),
            ("etc/modules".to_owned(), load.join(" ") + "\n"),
        ] {
            tree.add(&path, Entry::File(0o644, text.into_bytes()));
        }
        Ok(included.into_keys().chain(self.builtin.iter().cloned()).collect())
    }

    /// The modules called `names` that the kernel has, with all that they depend on.
    fn closure(&self, names: &[String], deadline: Deadline) -> Result<BTreeMap<String, Module>> {
        let mut included = BTreeMap::new();
        let mut next: Vec<String> = names.iter().map(|name| normalised(name)).collect();
        while let Some(name) = next.pop() {
            let Some(path) = self.modules.get(&name) else { continue };
            if included.contains_key(&name) {
                continue;
            }
            let mut bytes = unpacked(path, deadline).with_context(|| format!("reading {path}"))?;
            // Checking them was two thirds of the instructions between init and login. A kernel
            // that insists on signatures (secure boot) cannot load these modules.
            remove_signature(&mut bytes);
            let module = Module::read(bytes).ok_or_else(|| {
                Error::new(ErrorKind::Guest, format!("{path} is no kernel module"))
            })?;
            next.extend(module.depends.iter().cloned());
            included.insert(name, module);
        }
        Ok(included)
    }
}

impl Module {
    fn read(bytes: Vec<u8>) -> Option<Self> {
        let elf = Elf::parse(&bytes)?;
        elf.section(".modinfo")?;
        let depends = elf
            .module_info("depends")
            .iter()
            .flat_map(|list| list.split(','))
            .filter(|name| !name.is_empty())
            .map(normalised)
            .collect();
        let mut aliases = elf.module_info("alias");
        aliases.extend(aliases.clone().iter().flat_map(|alias| pci_aliases(alias)));
        Some(Self { bytes, depends, aliases })
    }
}

/// What `name` depends on, directly or not, each before what it depends on itself: `modprobe`
/// loads from the end.
fn all_dependencies(name: &str, modules: &BTreeMap<String, Module>) -> Vec<String> {
    fn visit(name: &str, modules: &BTreeMap<String, Module>, found: &mut Vec<String>) {
        let Some(module) = modules.get(name) else { return };
        for dependency in &module.depends {
            if !found.contains(dependency) && modules.contains_key(dependency) {
                visit(dependency, modules, found);
                found.push(dependency.clone());
            }
        }
    }
    let mut found = Vec::new();
    visit(name, modules, &mut found);
    found.reverse();
    found
}

/// A module's bytes as the kernel takes them: busybox cannot load what is compressed.
fn unpacked(path: &Utf8Path, deadline: Deadline) -> Result<Vec<u8>> {
    let program = match path.extension() {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => return Ok(std::fs::read(path)?),
    };
    require(&[program])?;
    run(Command::new(program).args(["-dc", "--"]).arg(path), deadline)
}

/// Cuts off what the distribution appends: the signature, 8 bytes, its length, and the marker.
fn remove_signature(module: &mut Vec<u8>) {
    let Some(body) = module.strip_suffix(b"~Module signature appended~\n") else { return };
    let Some((rest, length)) = body.split_last_chunk::<4>() else { return };
    let appended = u32::from_be_bytes(*length) as usize + 8;
    if let Some(end) = rest.len().checked_sub(appended) {
        module.truncate(end);
    }
}

/// The PCI devices that carry the virtio device of `virtio:d00000001v*`: with them among its
/// aliases, the device's driver is loaded together with the bus's, not in a second round.
fn pci_aliases(alias: &str) -> Vec<String> {
    const TRANSITIONAL: [(u32, u32); 7] =
        [(1, 0x1000), (2, 0x1001), (5, 0x1002), (3, 0x1003), (8, 0x1004), (4, 0x1005), (9, 0x1009)];
    let Some(device) = alias
        .strip_prefix("virtio:d")
        .and_then(|rest| u32::from_str_radix(rest.get(..8)?, 16).ok())
    else {
        return Vec::new();
    };
    let transitional = TRANSITIONAL.iter().filter(|(id, _)| *id == device).map(|(_, pci)| *pci);
    std::iter::once(0x1040 + device)
        .chain(transitional)
        .map(|pci| format!("pci:v00001AF4d{pci:08X}sv*sd*bc*sc*i*"))
        .collect()
}

fn walk(directory: &Utf8Path, modules: &mut BTreeMap<String, Utf8PathBuf>) {
    for path in entries(directory) {
        if path.is_dir() {
            walk(&path, modules);
        } else if let Some(name) = name(&path) {
            modules.insert(name, path);
        }
    }
}

/// `virtio_net` of `kernel/drivers/net/virtio-net.ko.xz`.
fn name(path: &Utf8Path) -> Option<String> {
    Some(normalised(path.file_name()?.split_once(".ko")?.0))
}

fn entries(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = directory.read_dir_utf8() else { return Vec::new() };
    let mut paths: Vec<_> =
        entries.filter_map(std::io::Result::ok).map(|entry| entry.path().to_owned()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(depends: &str) -> Module {
        Module {
            bytes: Vec::new(),
            depends: depends.split_whitespace().map(str::to_owned).collect(),
            aliases: Vec::new(),
        }
    }

    #[test]
    fn dependencies_are_listed_so_that_loading_from_the_end_works() {
        let modules: BTreeMap<String, Module> = [
            ("virtio_net", module("net_failover virtio virtio_ring")),
            ("net_failover", module("failover")),
            ("failover", module("")),
            ("virtio_ring", module("virtio")),
            ("virtio", module("")),
        ]
        .map(|(name, module)| (name.to_owned(), module))
        .into();
        let order = all_dependencies("virtio_net", &modules);
        assert_eq!(order.len(), 4);
        let at = |name| order.iter().position(|other| other == name).expect("listed");
        assert!(at("net_failover") < at("failover"));
        assert!(at("virtio_ring") < at("virtio"));
    }

    #[test]
    fn signatures_are_cut_off_and_nothing_else() {
        let marker = b"~Module signature appended~\n";
        let signed = |length: u32| {
            [b"module", &b"signature"[..], &[0; 8], &length.to_be_bytes(), marker].concat()
        };
        for (before, after) in [
            (signed(9), &b"module"[..]),
            (signed(1000), &signed(1000)),
            (b"module".to_vec(), b"module"),
            (marker.to_vec(), marker),
        ] {
            let mut module = before;
            remove_signature(&mut module);
            assert_eq!(module, after);
        }
    }

    #[test]
    fn virtio_drivers_answer_to_pci_devices() {
        let both = ["pci:v00001AF4d00001041sv*sd*bc*sc*i*", "pci:v00001AF4d00001000sv*sd*bc*sc*i*"];
        assert_eq!(pci_aliases("virtio:d00000001v*"), both);
        assert_eq!(pci_aliases("virtio:d0000001Av*"), ["pci:v00001AF4d0000105Asv*sd*bc*sc*i*"]);
        for other in ["virtio:d1", "virtio:dzzzzzzzzv*", "pci:v*"] {
            assert!(pci_aliases(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn modules_are_named_as_the_kernel_names_them() {
        for (path, expected) in [
            ("kernel/drivers/usb/usb-storage.ko", Some("usb_storage")),
            ("x/8021q.ko.xz", Some("8021q")),
            ("x/nvme.ko.zst", Some("nvme")),
            ("modules.order", None),
        ] {
            assert_eq!(name(Utf8Path::new(path)).as_deref(), expected);
        }
    }
}
