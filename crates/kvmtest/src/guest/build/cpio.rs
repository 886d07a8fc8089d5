//! Writes archives as the kernel unpacks them: cpio in its `newc` form.

use std::fmt::Write;

use super::tree::{Entry, Tree};

const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// The archive of `tree`. The same tree gives the same bytes.
pub(super) fn archive(tree: &Tree) -> Vec<u8> {
    let mut archive = Vec::new();
    for (number, (path, entry)) in (1..).zip(tree.entries()) {
        let (mode, data, device): (u32, &[u8], (u32, u32)) = match entry {
            Entry::Directory(mode) => (DIRECTORY | mode, &[], (0, 0)),
            Entry::File(mode, data) => (FILE | mode, data, (0, 0)),
            Entry::Link(target) => (LINK | 0o777, target.as_bytes(), (0, 0)),
            Entry::Device(major, minor) => (CHARACTER_DEVICE | 0o600, &[], (*major, *minor)),
        };
        member(&mut archive, number, path, mode, data, device);
    }
    member(&mut archive, 0, "TRAILER!!!", 0, &[], (0, 0));
    archive
}

fn member(
    archive: &mut Vec<u8>,
    number: u32,
    path: &str,
    mode: u32,
    data: &[u8],
    (major, minor): (u32, u32),
) {
    let length = |bytes: usize| u32::try_from(bytes).expect("no file of an initrd has 4 GiB");
    // Inode, mode, uid, gid, links, mtime, size, device, device of a node, name, checksum.
    let fields = [
        number,
        mode,
        0,
        0,
        1,
        0,
        length(data.len()),
        0,
        0,
        major,
        minor,
        length(path.len() + 1),
        0,
    ];
    let mut header = String::from("070701");
    for field in fields {
        let _ = write!(header, "{field:08X}");
    }
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(path.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(data);
    pad(archive);
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_laid_out_as_the_format_says() {
        let mut tree = Tree::default();
        tree.add("b", Entry::File(0o644, b"hello".to_vec()));
        tree.add("a/c", Entry::Link("../b".into()));
        tree.add("a/null", Entry::Device(1, 3));
        let archive = archive(&tree);
        let text =
            |range: std::ops::Range<usize>| String::from_utf8_lossy(&archive[range]).into_owned();
        // "a": a directory that was only implied, inode 1, mode 40755, name of 2 bytes.
        assert_eq!(text(0..30), "07070100000001000041ED00000000");
        assert_eq!(text(94..110), "0000000200000000");
        assert_eq!(text(110..112), "a\0");
        assert_eq!(archive.len() % 4, 0);
        let whole = String::from_utf8_lossy(&archive);
        let order: Vec<usize> = ["a/c\0", "../b", "a/null\0", "b\0", "hello", "TRAILER!!!\0"]
            .iter()
            .map(|name| whole.find(name).expect(name))
            .collect();
        assert!(order.is_sorted(), "{order:?}");
        // The device's numbers.
        assert!(whole.contains("000000010000000300000007"));
    }

    #[test]
    fn every_member_starts_on_four_bytes() {
        for size in 0..9 {
            let mut tree = Tree::default();
            tree.add("x", Entry::File(0o644, vec![b'.'; size]));
            let archive = archive(&tree);
            let whole = String::from_utf8_lossy(&archive);
            for (at, _) in whole.match_indices("070701") {
                assert_eq!(at % 4, 0, "size {size}");
            }
            assert_eq!(whole.matches("070701").count(), 2);
        }
    }
}
