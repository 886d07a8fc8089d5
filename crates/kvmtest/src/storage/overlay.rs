//! Overlays over disk images, made in this process: `qemu-img` takes longer to start than a tenth
//! of a machine.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::qcow2::{self, CLUSTER, COUNTS, Existing, Header, SECTOR};
use super::{Info, info};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::HostCommand;

/// How long `qemu-img info` may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells apart what several threads are making.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Makes `overlay`, a qcow2 image in which nothing is written yet, on top of `backing`, in place of
/// what is there; it takes its name when it is complete.
///
/// `backing` is written into it as it is: a relative name is relative to the directory of
/// `overlay`. `format` is its format, as QEMU calls it. `size` is how large the overlay is to the
/// guest, in bytes; without it, as large as what is below: by its header (qcow2), by its length
/// (raw), or as `qemu-img info` says (all others).
pub fn make_overlay(
    overlay: &Utf8Path,
    backing: &Path,
    format: &str,
    size: Option<u64>,
) -> Result<()> {
    let doing = || format!("making the overlay {overlay} over {}", backing.display());
    let made = || -> Result<()> {
        let name = backing_name(backing)?;
        let size = match size {
            Some(size) => size,
            None => size_of(&below(overlay, backing)?, format)?,
        };
        let size = size.next_multiple_of(SECTOR);
        let header = Header { size, backing: Some((name, format)) };
        let bytes = header.bytes()?;
        let first_level = header.tables().div_ceil(qcow2::ENTRIES);
        let clusters = 3 + first_level;
        if clusters > COUNTS {
            let message = format!("too large for an overlay: {size} bytes");
            return Err(Error::new(ErrorKind::Image, message));
        }
        write(overlay, &bytes, clusters)
    };
    made().with_context(doing)
}

/// What the guest sees of the image `path` of the given format, in bytes.
pub(crate) fn size_of(path: &Utf8Path, format: &str) -> Result<u64> {
    match format {
        "qcow2" => Ok(existing(path)?.size),
        "raw" => {
            // A device has its length at its end only.
            let length = File::open(path).and_then(|mut file| file.seek(SeekFrom::End(0)));
            Ok(length.with_context(|| format!("opening {path}"))?.next_multiple_of(SECTOR))
        }
        _ => Ok(ask(path, format)?.virtual_size),
    }
}

/// Whether QEMU would open the image `path` without anything else: a file, raw or plain qcow2.
pub(crate) fn is_plain(path: &Utf8Path, format: &str) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    is_file
        && match format {
            "raw" => File::open(path).is_ok(),
            "qcow2" => existing(path).is_ok_and(|existing| existing.is_plain),
            _ => false,
        }
}

fn existing(path: &Utf8Path) -> Result<Existing> {
    qcow2::read(path)?.ok_or_else(|| {
        Error::new(ErrorKind::Image, format!("{path} is no qcow2 image of version 2 or 3"))
    })
}

pub(super) fn ask(path: &Utf8Path, format: &str) -> Result<Info> {
    // In the same directory, a name with a dot in front is neither an option nor a protocol.
    let path = if path.is_absolute() { path.to_owned() } else { Utf8Path::new(".").join(path) };
    let arguments = ["info", "--force-share", "--output=json", "-f", format, path.as_str()];
    info::read(&HostCommand::new("qemu-img").args(arguments).run(PATIENCE)?)
}

/// The name as it stands in the header.
fn backing_name(backing: &Path) -> Result<&[u8]> {
    let name = backing.as_os_str().as_bytes();
    let first = name.split(|byte| *byte == b'/').next().unwrap_or_default();
    if first.contains(&b':') {
        // What QEMU would take for a protocol: `nbd:`, `json:`.
        let message = "a `:` in the first part of its name: begin it with `./`";
        return Err(Error::new(ErrorKind::Image, message));
    }
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Image, "its name is empty"));
    }
    Ok(name)
}

/// Where the backing file is, seen from here.
fn below(overlay: &Utf8Path, backing: &Path) -> Result<Utf8PathBuf> {
    let Some(backing) = Utf8Path::from_path(backing) else {
        return Err(Error::new(ErrorKind::Image, "its name is no UTF-8"));
    };
    Ok(overlay.parent().map_or_else(|| backing.to_owned(), |parent| parent.join(backing)))
}

/// Header, table of reference counts, counts, an empty first-level table.
fn write(overlay: &Utf8Path, header: &[u8], clusters: u64) -> Result<()> {
    let file = overlay.file_name().unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let unfinished = overlay.with_file_name(format!(".{file}.{}-{number}", std::process::id()));
    let counts: Vec<u8> = (0..clusters).flat_map(|_| 1u16.to_be_bytes()).collect();
    let made = || -> std::io::Result<()> {
        let file = File::create(&unfinished)?;
        file.set_len(clusters * CLUSTER)?;
        file.write_all_at(header, 0)?;
        file.write_all_at(&(2 * CLUSTER).to_be_bytes(), CLUSTER)?;
        file.write_all_at(&counts, 2 * CLUSTER)?;
        std::fs::rename(&unfinished, overlay)
    };
    made().map_err(|error| {
        // It may not have come that far.
        let _ = std::fs::remove_file(&unfinished);
        Error::new(ErrorKind::Image, "it cannot be written").caused_by(error)
    })
}

#[cfg(test)]
mod tests;
