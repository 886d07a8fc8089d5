//! Everything in the initrd but the kernel's modules.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::command::run;
use super::libraries::Libraries;
use super::refresher;
use super::tree::{Entry, Tree};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::guest::recipe::{FILES, Userland};

/// Where packages keep programs.
const PROGRAMS: [&str; 7] =
    ["bin", "usr/bin", "sbin", "usr/sbin", "usr/lib/openssh", "usr/libexec/openssh", "usr/libexec"];

/// The userland of `recipe`, from the packages unpacked in `root`.
pub(super) fn tree(recipe: &Userland, root: &Utf8Path, deadline: Deadline) -> Result<Tree> {
    let mut tree = Tree::default();
    add_skeleton(&mut tree);
    add_busybox(&mut tree, root, deadline)?;
    let libraries = Libraries::below(root);
    for (place, name) in &recipe.programs {
        let path = program(root, name)?;
        let bytes = std::fs::read(&path).with_context(|| format!("reading {path}"))?;
        libraries.add_for(&bytes, &mut tree)?;
        tree.add(place, Entry::File(0o755, bytes));
    }
    if let Some(program) = refresher::program() {
        tree.add(refresher::PLACE, Entry::File(0o755, program));
    }
    for (path, text) in FILES {
        tree.add(path, Entry::File(mode(path, text), text.as_bytes().to_vec()));
    }
    Ok(tree)
}

fn add_skeleton(tree: &mut Tree) {
    for directory in ["data", "dev", "etc/dropbear", "mnt", "proc", "run", "sys", "usr", "var"] {
        tree.add(directory, Entry::Directory(0o755));
    }
    for directory in ["root", "root/.ssh"] {
        tree.add(directory, Entry::Directory(0o700));
    }
    tree.add("tmp", Entry::Directory(0o1777));
    for (path, target) in [
        ("bin/sh", "dash"),
        ("etc/mtab", "/proc/mounts"),
        ("init", "bin/busybox"),
        ("sbin/halt", "shutdown"),
        ("sbin/poweroff", "shutdown"),
        ("sbin/reboot", "shutdown"),
        ("usr/bin", "../bin"),
        ("usr/lib", "../lib"),
        ("usr/sbin", "../sbin"),
        ("var/run", "../run"),
        ("var/tmp", "../tmp"),
    ] {
        tree.add(path, Entry::Link(target.to_owned()));
    }
    // The kernel opens the console before there is a file system of devices.
    for (path, major, minor) in [("dev/console", 5, 1), ("dev/null", 1, 3)] {
        tree.add(path, Entry::Device(major, minor));
    }
}

/// busybox, and a link for everything that it can do and that is not there already.
fn add_busybox(tree: &mut Tree, root: &Utf8Path, deadline: Deadline) -> Result<()> {
    let path = program(root, "busybox")?;
    // It is linked statically: it runs here as well as there, and knows best.
    let list = run(Command::new(&path).arg("--list"), deadline).context("asking busybox")?;
    for applet in String::from_utf8_lossy(&list).lines() {
        let place = format!("bin/{applet}");
        if !tree.has(&place) && !tree.has(&format!("sbin/{applet}")) {
            tree.add(&place, Entry::Link("busybox".to_owned()));
        }
    }
    // The kernel looks for it here.
    tree.add("sbin/modprobe", Entry::Link("../bin/busybox".to_owned()));
    let bytes = std::fs::read(&path).with_context(|| format!("reading {path}"))?;
    tree.add("bin/busybox", Entry::File(0o755, bytes));
    Ok(())
}

fn program(root: &Utf8Path, name: &str) -> Result<Utf8PathBuf> {
    PROGRAMS.iter().map(|place| root.join(place).join(name)).find(|path| path.is_file()).ok_or_else(
        || Error::new(ErrorKind::Guest, format!("no chosen package has the program `{name}`")),
    )
}

fn mode(path: &str, text: &str) -> u32 {
    if text.starts_with("#!") {
        0o755
    } else if path == "etc/shadow" {
        0o600
    } else {
        0o644
    }
}
