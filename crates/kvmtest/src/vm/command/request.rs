//! What a command line is made from.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::params::Params;

/// All that a command line depends on; the same request gives the same command line.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The VM's name.
    pub name: &'a str,
    /// The parameters as the VM sees them: `object_params(name)` is already done.
    pub params: &'a Params,
    /// What the binary offers.
    pub facts: &'a dyn Facts,
    /// The accelerator, decided: `kvm` or `tcg`.
    pub accel: &'a str,
    /// The parts of the guest that `guest` names, if it names one.
    pub guest: Option<&'a GuestParts>,
    /// Where things lie.
    pub paths: &'a Paths,
    /// What generated MAC addresses and a random UUID grow from: something that no other VM
    /// instance has, and that this one keeps over its life.
    pub seed: &'a str,
}

/// A guest that `kvmtest guest build` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestParts {
    /// `small`, `wide`.
    pub name: String,
    /// The kernel to boot directly.
    pub kernel: Utf8PathBuf,
    /// Its initial RAM file system.
    pub initrd: Utf8PathBuf,
    /// A qcow2 image that several VMs share, so that each writes to an overlay of its own.
    pub data_disk: Utf8PathBuf,
    /// What the kernel needs on its command line.
    pub kernel_params: String,
}

/// Where things lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The QEMU binary.
    pub program: Utf8PathBuf,
    /// The VM's private runtime directory, which must be QEMU's working directory: sockets are
    /// given relative to it, so that the limit of 108 bytes on their paths never bites.
    pub instance: Utf8PathBuf,
    /// The VM's own directory for `serial.log`, overlays, the test device's log. Absolute.
    pub scratch: Utf8PathBuf,
    /// What a relative `image_name`, `cdrom`, `kernel` … is relative to. Absolute.
    pub images: Utf8PathBuf,
    /// Where the overlays of writable images are, if these are not to be written to themselves
    /// because others use them as well. Absolute.
    pub overlays: Option<Utf8PathBuf>,
    /// Images that were made for this VM's env alone, and where they are instead.
    pub own_images: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// The file that is the guest's memory, if it is one.
    pub memory: Option<MemoryFile>,
    /// What every writable disk stands on, if no image is to be written to at all.
    pub layers: Option<Layers>,
}

/// A file that is the guest's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryFile {
    /// The file. Absolute.
    pub path: Utf8PathBuf,
    /// Whether what the guest writes is written to the file; otherwise it keeps that for itself.
    pub share: bool,
}

/// How many frozen layers there are below the overlay that a disk writes to, by the identifier of
/// the drive; none for those that are not in it.
///
/// The layers of `disk-a` are in the scratch directory: `disk-a.0.qcow2` over the image,
/// `disk-a.1.qcow2` over that, and so on.
pub type Layers = BTreeMap<String, u32>;

impl Paths {
    /// A path from `params`: absolute, or relative to the images.
    pub(super) fn resolve(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.images.join(path)
    }
}
