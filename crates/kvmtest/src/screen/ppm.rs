//! PPM (P6): what QEMU writes where it cannot write PNG.

use std::io::{BufRead, Read};

use super::picture::{Picture, bytes, wrong};
use crate::error::Result;

/// A number of a header has no more digits.
const DIGITS: usize = 10;
/// Blanks and comments in a header are not longer than this together.
const LONGEST_HEADER: usize = 4096;

/// Reads a picture.
pub(super) fn read(mut file: impl BufRead) -> Result<Picture> {
    let (width, height) = header(&mut file)?;
    let wanted = bytes(width, height)?;
    let mut rgb = Vec::with_capacity(wanted);
    (&mut file).take(wanted as u64).read_to_end(&mut rgb)?;
    if rgb.len() < wanted {
        return Err(wrong(format!("it ends after {} of {wanted} bytes of pixels", rgb.len())));
    }
    if !file.fill_buf()?.is_empty() {
        return Err(wrong("there is something behind the pixels"));
    }
    Picture::new(width, height, rgb)
}

/// Reads a picture's size.
pub(super) fn size(mut file: impl BufRead) -> Result<(u32, u32)> {
    let (width, height) = header(&mut file)?;
    bytes(width, height)?;
    Ok((width, height))
}

fn header(file: &mut impl BufRead) -> Result<(u32, u32)> {
    let mut header = Header { file, left: LONGEST_HEADER };
    if [header.byte()?, header.byte()?] != [Some(b'P'), Some(b'6')] {
        return Err(wrong("it is neither PNG nor PPM"));
    }
    let (width, height, most) = (header.number()?, header.number()?, header.number()?);
    if most != 255 {
        return Err(wrong(format!("its brightest value is {most}, not 255")));
    }
    Ok((width, height))
}

struct Header<'a, R> {
    file: &'a mut R,
    left: usize,
}

impl<R: BufRead> Header<'_, R> {
    /// The next number, with the one blank behind it.
    fn number(&mut self) -> Result<u32> {
        let mut digits = String::new();
        loop {
            match self.byte()? {
                Some(b'#') if digits.is_empty() => {
                    while !matches!(self.byte()?, Some(b'\n') | None) {}
                }
                Some(digit) if digit.is_ascii_digit() && digits.len() < DIGITS => {
                    digits.push(digit.into());
                }
                Some(blank) if blank.is_ascii_whitespace() && digits.is_empty() => {}
                Some(blank) if blank.is_ascii_whitespace() => {
                    return digits
                        .parse()
                        .map_err(|_| wrong("a number in its header is too large"));
                }
                _ => return Err(wrong("its header is broken")),
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        if self.left == 0 {
            return Err(wrong("its header has no end"));
        }
        self.left -= 1;
        let mut byte = [0];
        Ok((self.file.read(&mut byte)? == 1).then_some(byte[0]))
    }
}
