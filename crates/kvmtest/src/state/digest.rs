//! The digest of what a file holds.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::hexadecimal;
use crate::interrupt;

/// A block of zeros counts as a hole, whether it is one or not: a file system may fill a hole when
/// somebody looks at it.
const BLOCK: usize = 4096;

/// How much is read at once.
const PIECE: usize = 1 << 20;

/// SHA-256 of what `file` holds: its length and, of each block that has anything but zeros, where
/// it begins and its bytes. Holes are not read. It is not what `sha256sum` prints.
///
/// An interrupt ends it. A file that is shortened meanwhile is an error
/// ([`std::io::ErrorKind::UnexpectedEof`]).
pub(super) fn of_content(file: &File) -> Result<String, DigestError> {
    let length = file.metadata()?.len();
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    let mut buffer = vec![0; PIECE];
    let mut position = 0;
    while let Some((start, end)) = next_data(file, position, length)? {
        position = start;
        while position < end {
            if interrupt::ends_wait() {
                return Err(DigestError::Interrupted);
            }
            let wanted = usize::try_from(end - position).map_or(PIECE, |left| left.min(PIECE));
            let piece = &mut buffer[..wanted];
            file.read_exact_at(piece, position)?;
            for block in piece.chunks(BLOCK) {
                if block != &ZEROS[..block.len()] {
                    hash.update(position.to_le_bytes());
                    hash.update(block);
                }
                position += block.len() as u64;
            }
        }
    }
    Ok(hexadecimal::of(&hash.finalize()))
}

/// Why there is no digest.
#[derive(Debug)]
pub(super) enum DigestError {
    Interrupted,
    Io(std::io::Error),
}

impl From<std::io::Error> for DigestError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DigestError> for Error {
    fn from(error: DigestError) -> Self {
        match error {
            DigestError::Interrupted => Self::new(ErrorKind::Interrupted, "interrupted"),
            DigestError::Io(error) => error.into(),
        }
    }
}

static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// From where to where there is data next, in whole blocks.
fn next_data(file: &File, position: u64, length: u64) -> std::io::Result<Option<(u64, u64)>> {
    const BLOCK: u64 = self::BLOCK as u64;
    if position >= length {
        return Ok(None);
    }
    let start = match seek(file, SeekFrom::Data(position)) {
        Ok(start) => start / BLOCK * BLOCK,
        Err(Errno::NXIO) => return Ok(None),
        // A file system that does not tell of holes has none.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Some((position, length))),
        Err(error) => return Err(error.into()),
    };
    let end = match seek(file, SeekFrom::Hole(start.max(position))) {
        Ok(end) if end > start => end.checked_next_multiple_of(BLOCK).unwrap_or(length).min(length),
        _ => length,
    };
    Ok(Some((start.max(position), end)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn of(fill: impl FnOnce(&File)) -> String {
        let file = tempfile::tempfile().expect("a file");
        fill(&file);
        of_content(&file).expect("readable")
    }

    #[test]
    fn holes_and_zeros_are_the_same_and_nothing_else_is() {
        let sparse = of(|file| {
            file.set_len(3 << 20).expect("set");
            file.write_all_at(b"x", (1 << 20) + 5).expect("written");
        });
        let full = |at: usize| {
            let mut bytes = vec![0; 3 << 20];
            bytes[at] = b'x';
            of(|mut file| file.write_all(&bytes).expect("written"))
        };
        assert_eq!(sparse, full((1 << 20) + 5));
        for at in [(1 << 20) + 4, 5, (2 << 20) + 5, (1 << 20) + 5 + BLOCK] {
            assert_ne!(sparse, full(at), "{at}");
        }
    }

    #[test]
    fn lengths_and_ends_count() {
        let all = [0_u64, 1, 4095, 4096, 4097, 1 << 30]
            .map(|length| of(|file| file.set_len(length).expect("set")));
        let several: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(several.len(), all.len());
        let tail = |bytes: &[u8]| of(|mut file| file.write_all(bytes).expect("written"));
        assert_ne!(tail(b"ab"), tail(b"ab\0"));
        assert_ne!(tail(&[1; 5000]), tail(&[1; 5001]));
        let mut flipped = [1; 5000];
        flipped[4999] ^= 128;
        assert_ne!(tail(&[1; 5000]), tail(&flipped));
    }

    #[test]
    fn an_interrupt_ends_it() {
        let interrupt = interrupt::Interrupt::new();
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(b"x", 0).expect("written");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                interrupt.enter();
                interrupt.request();
                let error = Error::from(of_content(&file).expect_err("interrupted"));
                assert_eq!(error.kind(), ErrorKind::Interrupted);
                interrupt.clear();
                of_content(&file).expect("readable");
            });
        });
    }
}
