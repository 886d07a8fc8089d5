//! Writes qcow2 images, so that building a guest needs no `qemu-img`.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use camino::Utf8Path;

use crate::error::{Context, Error, ErrorKind, Result};
use crate::storage::qcow2::{CLUSTER, CLUSTER_BITS, COUNTS, ENTRIES, Header};

/// The cluster is used once: it may be written in place.
const COPIED: u64 = 1 << 63;

/// Writes the raw image `raw` as the qcow2 image `target`; clusters of zeros take no space.
pub(super) fn convert(raw: &Utf8Path, target: &Utf8Path) -> Result<()> {
    let mut source = File::open(raw).with_context(|| format!("opening {raw}"))?;
    let size = source.metadata()?.len();
    let layout = Layout::new(size, used_clusters(&mut source, size)?)?;
    let file = File::create(target).with_context(|| format!("creating {target}"))?;
    let mut out = BufWriter::new(file);
    layout.write(&mut source, &mut out)?;
    out.flush().with_context(|| format!("writing {target}"))
}

/// Header, reference counts, first-level table, second-level tables, data: in this order.
#[derive(Debug)]
struct Layout {
    size: u64,
    /// The guest's clusters that hold something.
    used: Vec<u64>,
    tables: u64,
}

impl Layout {
    fn new(size: u64, used: Vec<u64>) -> Result<Self> {
        let tables = Header { size, backing: None }.tables();
        let layout = Self { size, used, tables };
        // One cluster each for the counts and the first-level table: 2 GiB of data, 4 TiB of size.
        if layout.clusters() > COUNTS || tables > ENTRIES {
            return Err(Error::new(
                ErrorKind::Image,
                format!("too large to convert: {size} bytes"),
            ));
        }
        Ok(layout)
    }

    /// Clusters of the file: header, table of counts, counts, first level, second level, data.
    fn clusters(&self) -> u64 {
        4 + self.tables + self.used.len() as u64
    }

    fn write(&self, source: &mut (impl Read + Seek), out: &mut impl Write) -> Result<()> {
        cluster(out, &Header { size: self.size, backing: None }.bytes()?)?;
        cluster(out, &(2 * CLUSTER).to_be_bytes())?;
        let counts: Vec<u8> = (0..self.clusters()).flat_map(|_| 1u16.to_be_bytes()).collect();
        cluster(out, &counts)?;
        let first: Vec<u8> = (0..self.tables)
            .flat_map(|table| (COPIED | ((4 + table) * CLUSTER)).to_be_bytes())
            .collect();
        cluster(out, &first)?;
        let mut second = vec![0; usize::try_from(self.tables * CLUSTER).unwrap_or_default()];
        for (place, index) in (4 + self.tables..).zip(&self.used) {
            let at = usize::try_from(index * 8).unwrap_or_default();
            second[at..at + 8].copy_from_slice(&(COPIED | (place * CLUSTER)).to_be_bytes());
        }
        out.write_all(&second)?;
        for index in &self.used {
            let mut data = Vec::new();
            source.seek(SeekFrom::Start(index * CLUSTER))?;
            source.by_ref().take(CLUSTER).read_to_end(&mut data)?;
            cluster(out, &data)?;
        }
        Ok(())
    }
}

/// The clusters of `source` that are not all zeros.
fn used_clusters(source: &mut impl Read, size: u64) -> Result<Vec<u64>> {
    let mut used = Vec::new();
    let mut data = Vec::new();
    let zeros = vec![0; 1 << CLUSTER_BITS];
    for index in 0..size.div_ceil(CLUSTER) {
        data.clear();
        source.by_ref().take(CLUSTER).read_to_end(&mut data)?;
        if data != zeros[..data.len()] {
            used.push(index);
        }
    }
    Ok(used)
}

/// Writes `content`, filled up with zeros.
fn cluster(out: &mut impl Write, content: &[u8]) -> Result<()> {
    let mut whole = content.to_vec();
    whole.resize(content.len().next_multiple_of(1 << CLUSTER_BITS), 0);
    out.write_all(&whole).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads an image back by the format's rules alone.
    fn read(image: &[u8]) -> Vec<u8> {
        let long = |at: u64| {
            let at = usize::try_from(at).unwrap();
            u64::from_be_bytes(image[at..at + 8].try_into().unwrap())
        };
        assert_eq!(&image[..8], b"QFI\xfb\0\0\0\x03");
        let (size, first) = (long(24), long(40));
        let mut raw = Vec::new();
        for index in 0..size.div_ceil(CLUSTER) {
            let table = long(first + index / ENTRIES * 8) & !COPIED;
            let place = long(table + index % ENTRIES * 8) & !COPIED;
            let place = usize::try_from(place).unwrap();
            let cluster = usize::try_from(CLUSTER).unwrap();
            match place {
                0 => raw.resize(raw.len() + cluster, 0),
                _ => raw.extend_from_slice(&image[place..place + cluster]),
            }
        }
        raw.truncate(usize::try_from(size).unwrap());
        // Every cluster of the file is counted once.
        let counts = usize::try_from(long(long(48))).unwrap();
        for index in 0..image.len() >> CLUSTER_BITS {
            assert_eq!(image[counts + 2 * index..][..2], [0, 1]);
        }
        raw
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let directory = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let cluster = usize::try_from(CLUSTER).unwrap();
        for (size, marks) in [
            (0, vec![]),
            (512, vec![511]),
            (cluster * 3, vec![]),
            (cluster * 5, vec![0, cluster * 2 + 7, cluster * 5 - 1]),
            (cluster * 8193 + 512, vec![cluster * 8192, cluster * 8193 + 1]),
        ] {
            let mut raw = vec![0; size];
            for mark in &marks {
                raw[*mark] = 0xa5;
            }
            let (from, to) = (directory.join("raw"), directory.join("qcow2"));
            std::fs::write(&from, &raw).expect("written");
            convert(&from, &to).expect("converted");
            let image = std::fs::read(&to).expect("an image");
            assert!(read(&image) == raw, "size {size}, marks {marks:?}");
            let tables = size.div_ceil(cluster).div_ceil(8192);
            assert!(image.len() <= (4 + tables + marks.len()) * cluster, "size {size}");
        }
    }
}
