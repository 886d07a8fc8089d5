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
            let bytes = unpacked(path, deadline).with_context(|| format!("reading {path}"))?;
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
        let aliases = elf.module_info("alias");
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
