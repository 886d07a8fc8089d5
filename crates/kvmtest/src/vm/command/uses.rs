//! What a command line makes use of: the side of it that the rest of the library works with.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

/// An image that the VM opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUse {
    /// The object's name in `images` or `cdroms`; `floppy` for the floppy disk.
    pub name: String,
    /// The identifier of both the block node and the device.
    pub id: String,
    /// What it is to the guest.
    pub kind: ImageKind,
    /// The image. Absolute, save where `images` in the paths was not.
    pub path: Utf8PathBuf,
    /// Its format, as QEMU calls it: `qcow2`, `raw`, `vpc`.
    pub format: String,
    /// A qcow2 overlay that must be made before the start, because QEMU writes to it and not to
    /// `path`: the guest's own data disk, `image_snapshot = yes`, and every writable image where
    /// several workers run tests.
    pub overlay: Option<Utf8PathBuf>,
    /// How many frozen layers lie between the overlay and `path`: see
    /// [`layer`](Self::layer).
    #[serde(default)]
    pub layers: u32,
    /// Whether an overlay that is there already is to be used: the next test is to find what this
    /// one wrote.
    #[serde(default)]
    pub keeps_overlay: bool,
    /// How large the image is to be where it has to be created, in bytes: `image_size`.
    pub size: u64,
    /// Whether the guest may not write to it.
    pub read_only: bool,
    /// The device model that it is plugged in as: `virtio-blk-pci`, `ide-cd`.
    pub model: String,
}

/// What an image is to the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageKind {
    /// A disk of `images`.
    Disk,
    /// A disc of `cdroms`.
    Cdrom,
    /// The floppy disk.
    Floppy,
}

impl ImageUse {
    /// The arguments of `qemu-img` that make the overlay, if there is one to make.
    pub fn overlay_args(&self) -> Option<Vec<String>> {
        let overlay = self.overlay.as_ref()?;
        let (backing, format) = self.backing();
        let fixed = ["create", "-q", "-f", "qcow2", "-F", format, "-b"];
        let paths = [backing.as_str(), overlay.as_str()];
        Some(fixed.into_iter().chain(paths).map(str::to_owned).collect())
    }

    /// What the overlay is over, and its format: the uppermost layer, or the image.
    pub fn backing(&self) -> (Utf8PathBuf, &str) {
        let uppermost = self.layers.checked_sub(1).and_then(|number| self.layer(number));
        match uppermost {
            Some(layer) => (layer, "qcow2"),
            None => (self.path.clone(), &self.format),
        }
    }

    /// The frozen layer `number` (from 0, which is over the image itself), beside the overlay.
    pub fn layer(&self, number: u32) -> Option<Utf8PathBuf> {
        Some(layer(self.overlay.as_ref()?, number))
    }
}

/// The frozen layer `number` below `overlay`.
pub(crate) fn layer(overlay: &Utf8Path, number: u32) -> Utf8PathBuf {
    let stem = overlay.file_stem().unwrap_or_default();
    overlay.with_file_name(format!("{stem}.{number}.qcow2"))
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NicUse {
    /// The object's name in `nics`.
    pub name: String,
    /// The device's identifier, for `set_link` and `device_del`.
    pub id: String,
    /// The backend's identifier, where there is a backend.
    pub netdev: Option<String>,
    /// The MAC address, in lower case.
    pub mac: String,
    /// The backend's kind: `user`, `tap`, `none` …
    pub mode: String,
    /// The device model: `virtio-net-pci`.
    pub model: String,
    /// The host's interface, where `nic_ifname` named one.
    pub ifname: Option<String>,
}

/// A monitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorUse {
    /// The object's name in `monitors`; `harness` for the harness's own.
    pub name: String,
    /// The protocol.
    pub kind: MonitorKind,
    /// The socket, relative to the instance directory.
    pub socket: String,
}

/// How a monitor is spoken to; the socket itself always speaks QMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonitorKind {
    /// QMP: JSON.
    Qmp,
    /// The human monitor.
    Human,
}

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerialUse {
    /// The object's name in `serials`; `serial0` where that is not set.
    pub name: String,
    /// The socket, relative to the instance directory.
    pub socket: String,
    /// The file that QEMU writes all output to, connected or not.
    pub log: Utf8PathBuf,
}

/// A guest's port that is to be reached from the host. The host's port is not known before QEMU is
/// asked for it: the kernel picks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirUse {
    /// The object's name in `redirs`.
    pub name: String,
    /// The NIC's name in `nics`.
    pub nic: String,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The guest's port.
    pub guest_port: u16,
}

/// What a redirection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}
