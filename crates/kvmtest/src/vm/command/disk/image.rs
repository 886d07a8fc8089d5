//! Which file an image is, and in which format.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::super::plan::{Object, Plan};
use super::super::read;
use crate::error::Result;
use crate::params::Params;

/// The formats that QEMU reads, as it calls them.
const FORMATS: &[&str] = &[
    "qcow2",
    "raw",
    "qcow",
    "qed",
    "vmdk",
    "vdi",
    "vpc",
    "vhdx",
    "parallels",
    "bochs",
    "cloop",
    "dmg",
];

/// Endings by which a name is a file's whole name.
const ENDINGS: &[&str] = &[
    "qcow2", "raw", "img", "iso", "bin", "qcow", "qed", "vmdk", "vdi", "vpc", "vhd", "vhdx", "hdd",
    "dmg",
];

/// An image's file and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) path: Utf8PathBuf,
    pub(super) format: String,
    /// The guest's own data disk, which several VMs share.
    pub(super) is_shared: bool,
    /// Made for this VM's env alone, so that nobody else writes to it.
    pub(super) is_own: bool,
}

impl Image {
    /// The image that `object` names; `shared` is what it is where it names none.
    pub(super) fn of(plan: &Plan, object: &Object, shared: Option<&Utf8PathBuf>) -> Result<Self> {
        let params = &object.params;
        if let (None, Some(path)) = (params.find_nonempty("image_name"), shared) {
            let path = path.clone();
            return Ok(Self { path, format: "qcow2".to_owned(), is_shared: true, is_own: false });
        }
        let (path, format) = file(params, &plan.request.paths.images)?;
        let own = plan.request.paths.own_images.get(&path).cloned();
        Ok(Self { is_own: own.is_some(), path: own.unwrap_or(path), format, is_shared: false })
    }

    /// Where what is written goes instead, if the image itself is not this run's alone.
    pub(super) fn overlay(&self, plan: &Plan) -> Option<Utf8PathBuf> {
        let directory = plan.request.paths.overlays.as_ref().filter(|_| !self.is_own)?;
        Some(overlay(directory, &self.path))
    }
}

/// The overlay over `image` in `directory`. One image has one, whatever drives and machines it is
/// in.
pub(crate) fn overlay(directory: &Utf8Path, image: &Utf8Path) -> Utf8PathBuf {
    let digest = Sha256::digest(image.as_str());
    let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    directory.join(format!("{number:016x}.qcow2"))
}

/// The file and the format of the image that `params` (its own) name; `images` is what a relative
/// name is relative to.
pub(crate) fn file(params: &Params, images: &Utf8Path) -> Result<(Utf8PathBuf, String)> {
    let name = params.get("image_name").map_err(|error| {
        error.context("only a `guest` has a disk of its own: name an image, or say `images =`")
    })?;
    if name.is_empty() {
        return Err(params.wrong("image_name", "the name of an image"));
    }
    let verbatim = read::flag(params, "image_raw_device", false)?;
    let default = if verbatim { "raw" } else { "qcow2" };
    let mut choices = FORMATS.to_vec();
    choices.push("host_device");
    let format = match read::choice(params, "image_format", default, &choices)? {
        "host_device" => "raw",
        format => format,
    };
    let file = if verbatim || name.starts_with("/dev/") || has_ending(name) {
        name.to_owned()
    } else {
        format!("{name}.{}", params.find_nonempty("image_format").unwrap_or(format).trim())
    };
    Ok((images.join(file), format.to_owned()))
}

fn has_ending(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty() && ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    })
}
