//! A guest that is built: where its files lie and what its kernel can drive.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::manifest::Manifest;
use super::recipe::normalised;

/// A guest that is built and whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guest {
    /// What it is called: `small`.
    pub name: String,
    /// What it was made of, in hexadecimal: the same inputs have the same hash.
    pub hash: String,
    /// The directory that holds its files.
    pub directory: Utf8PathBuf,
    /// For `-kernel`.
    pub kernel: Utf8PathBuf,
    /// For `-initrd`.
    pub initrd: Utf8PathBuf,
    /// A qcow2 image with an ext4 file system, labelled `data`. Tests use overlays or copies.
    pub data_disk: Utf8PathBuf,
    /// For `-append`.
    pub kernel_params: String,
    /// The distribution it was made of, `debian-12`.
    pub distribution: String,
    /// Modules in the initrd and built into the kernel, with `_` where a name has `-`.
    pub drivers: BTreeSet<String>,
}

impl Guest {
    pub(super) fn from_manifest(manifest: Manifest, directory: &Utf8Path) -> Self {
        Self {
            name: manifest.name,
            hash: manifest.hash,
            kernel: directory.join("kernel"),
            initrd: directory.join("initrd"),
            data_disk: directory.join("data.qcow2"),
            directory: directory.to_owned(),
            kernel_params: manifest.kernel_params,
            distribution: manifest.distribution,
            drivers: manifest.drivers,
        }
    }

    /// Whether the guest has the kernel module, loadable or built in; `-` and `_` are the same.
    pub fn has_driver(&self, module: &str) -> bool {
        self.drivers.contains(&normalised(module))
    }
}
