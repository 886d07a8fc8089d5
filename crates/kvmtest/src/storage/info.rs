//! What `qemu-img info` says.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Ended;

/// What `qemu-img` says of an image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Info {
    /// Its format, as QEMU calls it.
    pub format: String,
    /// How large it is to the guest, in bytes.
    pub virtual_size: u64,
    /// How much room it takes on the host's disk, in bytes.
    #[serde(default)]
    pub actual_size: u64,
    /// The image that it is an overlay of, as it names it.
    #[serde(default)]
    pub backing_filename: Option<String>,
    /// The format of that image, where it says so.
    #[serde(default)]
    pub backing_filename_format: Option<String>,
    /// Whether it was in use, and not closed, when it was looked at.
    #[serde(default)]
    pub dirty_flag: bool,
}

pub(super) fn read(ended: &Ended) -> Result<Info> {
    if !ended.status.success() {
        let message = format!("`qemu-img info` failed ({})", ended.words());
        return Err(Error::new(ErrorKind::Image, message).with_output(ended.errors.clone()));
    }
    serde_json::from_slice(&ended.output).map_err(|error| {
        Error::new(ErrorKind::Image, "`qemu-img info` said what cannot be understood")
            .caused_by(error)
            .with_output(ended.output.clone())
    })
}
