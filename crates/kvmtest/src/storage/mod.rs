//! Disk images: made, looked at, checked and removed, by `qemu-img`; overlays by ourselves.

mod chain;
mod check;
mod image;
mod in_use;
mod info;
mod overlay;
pub(crate) mod qcow2;
pub(crate) mod sparse;
#[cfg(test)]
mod tests;

use camino::Utf8PathBuf;

pub(crate) use chain::chain;
pub use check::Check;
pub use image::Image;
pub use info::Info;
pub(crate) use overlay::is_plain;
pub use overlay::make_overlay;

use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;

/// What a relative `image_name`, `cdrom`, `kernel` … is relative to: `images_dir`, else the working
/// directory. Absolute.
pub fn directory(params: &Params) -> Result<Utf8PathBuf> {
    let here = Utf8PathBuf::from_path_buf(std::env::current_dir()?).map_err(|path| {
        Error::new(ErrorKind::Io, format!("the working directory is no UTF-8: {}", path.display()))
    })?;
    Ok(match params.find_nonempty("images_dir") {
        Some(dir) => here.join(dir),
        None => here,
    })
}
