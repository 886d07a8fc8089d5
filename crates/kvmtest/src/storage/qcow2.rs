//! The header of a qcow2 image: written for images of our own, read for how large one is.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read};

use camino::Utf8Path;

use crate::error::{Context, Error, ErrorKind, Result};

/// The size of a cluster, as a power of two.
pub(crate) const CLUSTER_BITS: u32 = 16;
/// The size of a cluster in bytes.
pub(crate) const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// Entries of eight bytes in a cluster.
pub(crate) const ENTRIES: u64 = CLUSTER / 8;
/// Reference counts of two bytes in a cluster.
pub(crate) const COUNTS: u64 = CLUSTER / 2;

const MAGIC: &[u8; 4] = b"QFI\xfb";
/// The part of the header that every version-3 image has.
const LENGTH: usize = 104;
/// What the name of a backing file may be long, in bytes.
const NAME_LIMIT: usize = 1023;
/// The extension that names the backing file's format.
const BACKING_FORMAT: u32 = 0xe279_2aca;
/// QEMU counts in sectors, and leaves out what is less than one.
pub(crate) const SECTOR: u64 = 512;

/// The header of an image that we write: counts of references in clusters 1 and 2, the first-level
/// table from cluster 3 on.
pub(crate) struct Header<'a> {
    /// How large the image is to the guest, in bytes.
    pub(crate) size: u64,
    /// The name and the format of the backing file.
    pub(crate) backing: Option<(&'a [u8], &'a str)>,
}

impl Header<'_> {
    /// Entries of the first-level table.
    pub(crate) fn tables(&self) -> u64 {
        self.size.div_ceil(CLUSTER).div_ceil(ENTRIES)
    }

    /// The header's bytes: less than a cluster.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        let (name, format) = self.backing.unwrap_or_default();
        if name.len() > NAME_LIMIT {
            let message = format!("its name is longer than {NAME_LIMIT} bytes");
            return Err(Error::new(ErrorKind::Image, message));
        }
        let tables = u32::try_from(self.tables()).map_err(|_| {
            Error::new(ErrorKind::Image, format!("too large for a qcow2 image: {}", self.size))
        })?;
        let extensions = extensions(format);
        let name_at = if name.is_empty() { 0 } else { LENGTH + extensions.len() };
        let mut header = Vec::new();
        let long = |header: &mut Vec<u8>, value: u64| header.extend(value.to_be_bytes());
        let short = |header: &mut Vec<u8>, value: u32| header.extend(value.to_be_bytes());
        header.extend(MAGIC);
        short(&mut header, 3); // version
        long(&mut header, name_at as u64); // backing file: offset and length
        short(&mut header, u32::try_from(name.len()).unwrap_or_default());
        short(&mut header, CLUSTER_BITS);
        long(&mut header, self.size);
        short(&mut header, 0); // encryption
        short(&mut header, tables);
        long(&mut header, 3 * CLUSTER); // first-level table
        long(&mut header, CLUSTER); // table of reference counts, in clusters
        short(&mut header, 1);
        short(&mut header, 0); // snapshots
        long(&mut header, 0);
        for _features in ["incompatible", "compatible", "automatically cleared"] {
            long(&mut header, 0);
        }
        short(&mut header, 4); // counts of 2^4 bits
        short(&mut header, 104); // the header's length
        header.extend(extensions);
        header.extend(name);
        Ok(header)
    }
}

/// What stands between the header and the name of the backing file, with its end.
fn extensions(format: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !format.is_empty() {
        bytes.extend(BACKING_FORMAT.to_be_bytes());
        bytes.extend(u32::try_from(format.len()).unwrap_or_default().to_be_bytes());
        bytes.extend(format.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes.extend([0; 8]);
    bytes
}

/// What the header of an image says that somebody else wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Existing {
    /// How large the image is to the guest, in bytes.
    pub(crate) size: u64,
    /// Whether there is nothing to it that could keep it from being opened: no encryption, no
    /// backing file, no feature that a program must know.
    pub(crate) is_plain: bool,
}

/// Reads the header of `path`; nothing where it is no qcow2 image of version 2 or 3.
pub(crate) fn read(path: &Utf8Path) -> Result<Option<Existing>> {
    let mut bytes = [0; LENGTH];
    let mut file = File::open(path).with_context(|| format!("opening {path}"))?;
    // The header of version 2 is shorter, but nothing follows that is shorter than a cluster.
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(parse(&bytes)),
        Err(error) if error.kind() == IoErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {path}")),
    }
}

fn parse(bytes: &[u8; LENGTH]) -> Option<Existing> {
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let version = number(4, 4);
    if bytes[..4] != *MAGIC || !matches!(version, 2 | 3) {
        return None;
    }
    let features = if version == 3 { number(72, 8) } else { 0 };
    let (backing, encryption) = (number(8, 8), number(32, 4));
    let size = number(24, 8) / SECTOR * SECTOR;
    Some(Existing { size, is_plain: backing == 0 && encryption == 0 && features == 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let check = |backing: Option<(&[u8], &str)>, is_plain: bool| {
            let bytes = Header { size: 5 << 30, backing }.bytes().expect("a header");
            let start = bytes[..LENGTH].try_into().expect("long enough");
            assert_eq!(parse(start), Some(Existing { size: 5 << 30, is_plain }));
            let (name, _) = backing.unwrap_or_default();
            assert!(bytes.ends_with(name));
        };
        check(None, true);
        check(Some((b"/a/b.raw", "raw")), false);
    }

    #[test]
    fn what_is_odd_is_not_plain_and_what_is_foreign_is_nothing() {
        let header = Header { size: 1000, backing: None }.bytes().expect("a header");
        let check = |at: usize, value: u8, plain: Option<bool>| {
            let mut bytes: [u8; LENGTH] = header[..LENGTH].try_into().expect("long enough");
            bytes[at] = value;
            assert_eq!(parse(&bytes).map(|found| found.is_plain), plain, "{at}");
        };
        check(0, 0, None);
        check(7, 1, None);
        check(7, 4, None);
        check(7, 2, Some(true));
        check(35, 2, Some(false));
        check(15, 1, Some(false));
        check(79, 2, Some(false));
        assert_eq!(parse(&header[..LENGTH].try_into().expect("long")).map(|it| it.size), Some(512));
    }

    #[test]
    fn a_name_or_a_size_beyond_the_format_is_refused() {
        let long = [b'x'; 1024];
        Header { size: 0, backing: Some((&long, "raw")) }.bytes().expect_err("too long");
        Header { size: 0, backing: Some((&long[..1023], "raw")) }.bytes().expect("just right");
        Header { size: u64::MAX, backing: None }.bytes().expect_err("too large");
    }
}
