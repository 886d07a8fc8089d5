//! Finds the libraries that programs need, in unpacked packages.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::elf::Elf;
use super::tree::{Entry, Tree};
use crate::error::{Context, Error, ErrorKind, Result};

const DIRECTORIES: [&str; 6] =
    ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"];
/// Where the loader looks first.
const PLACE: &str = "lib/x86_64-linux-gnu";

/// The shared libraries in unpacked packages.
#[derive(Debug)]
pub(super) struct Libraries {
    by_name: BTreeMap<String, Utf8PathBuf>,
}

impl Libraries {
    /// Those below `root`.
    pub(super) fn below(root: &Utf8Path) -> Self {
        let mut by_name = BTreeMap::new();
        for directory in DIRECTORIES {
            let Ok(entries) = root.join(directory).read_dir_utf8() else { continue };
            for entry in entries.filter_map(std::io::Result::ok) {
                if entry.file_name().contains(".so") && entry.path().is_file() {
                    let name = entry.file_name().to_owned();
                    by_name.entry(name).or_insert_with(|| entry.path().to_owned());
                }
            }
        }
        Self { by_name }
    }

    /// Adds to `tree` the loader and the libraries that `program` needs, and what those need.
    pub(super) fn add_for(&self, program: &[u8], tree: &mut Tree) -> Result<()> {
        let Some(elf) = Elf::parse(program) else { return Ok(()) };
        let mut wanted = elf.needed();
        if let Some(loader) = elf.interpreter() {
            let name = loader.rsplit('/').next().unwrap_or_default().to_owned();
            let path = loader.trim_start_matches('/');
            if !tree.has(path) {
                tree.add(path, Entry::Link(format!("/{PLACE}/{name}")));
            }
            wanted.push(name);
        }
        while let Some(name) = wanted.pop() {
            let place = format!("{PLACE}/{name}");
            if tree.has(&place) {
                continue;
            }
            let path = self.by_name.get(&name).ok_or_else(|| {
                Error::new(ErrorKind::Guest, format!("no chosen package has the library `{name}`"))
            })?;
            let bytes = std::fs::read(path).with_context(|| format!("reading {path}"))?;
            if let Some(elf) = Elf::parse(&bytes) {
                wanted.extend(elf.needed());
            }
            tree.add(&place, Entry::File(0o755, bytes));
        }
        Ok(())
    }
}
