//! A picture in memory.

use std::fs::File;
use std::io::{BufReader, Read, Write};

use camino::Utf8Path;

use super::{png, ppm};
use crate::error::{Context, Error, ErrorKind, Result};

/// Pixels that a picture may have: those of four screens of 3840 by 2160. The guest decides how
/// large its screen is, so there is an end to it.
const MOST_PIXELS: u64 = 4 * 3840 * 2160;

/// The beginning of a file that tells its format.
const MAGIC: usize = 8;

/// A picture: rows from the top, three bytes (red, green, blue) a pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// The picture of these pixels; an error if they are not as many as the size says, or too
    /// many.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self> {
        if rgb.len() != bytes(width, height)? {
            return Err(wrong(format!("{} bytes are no {width} by {height} pixels", rgb.len())));
        }
        Ok(Self { width, height, rgb })
    }

    /// A black picture.
    pub fn black(width: u32, height: u32) -> Result<Self> {
        Ok(Self { width, height, rgb: vec![0; bytes(width, height)?] })
    }

    /// Reads a PNG or a PPM (P6) file. Whatever is in it, this needs no more than some 100 MiB.
    pub fn read(path: &Utf8Path) -> Result<Self> {
        let doing = || format!("reading the picture {path}");
        Self::decode(path).with_context(doing)
    }

    /// The width and the height of the PNG or PPM file `path`, of which only the beginning is
    /// read.
    pub fn size_of(path: &Utf8Path) -> Result<(u32, u32)> {
        let doing = || format!("reading the picture {path}");
        let (magic, file) = open(path).with_context(doing)?;
        let size = if png::is_png(&magic) { png::size(file) } else { ppm::size(file) };
        size.with_context(doing)
    }

    /// Writes it as a PNG file; at once, or not at all.
    pub fn write_png(&self, path: &Utf8Path) -> Result<()> {
        write_whole(path, |file| png::write(self, file))
            .with_context(|| format!("writing the picture {path}"))
    }

    /// How many pixels it is wide.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// How many pixels it is high.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Its pixels.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The same picture in the upper left corner of a black one of this size; what is larger is
    /// cut.
    #[must_use]
    pub(super) fn on_canvas(&self, mut canvas: Self) -> Self {
        let width = 3 * self.width.min(canvas.width) as usize;
        let rows = self.rgb.chunks_exact(3 * self.width as usize);
        let places = canvas.rgb.chunks_exact_mut(3 * canvas.width as usize);
        for (place, row) in places.zip(rows) {
            place[..width].copy_from_slice(&row[..width]);
        }
        canvas
    }

    fn decode(path: &Utf8Path) -> Result<Self> {
        let (magic, file) = open(path)?;
        if png::is_png(&magic) { png::read(file) } else { ppm::read(file) }
    }
}

/// How many bytes the pixels of a picture take; an error if there are none, or too many.
pub(super) fn bytes(width: u32, height: u32) -> Result<usize> {
    match u64::from(width) * u64::from(height) {
        0 => Err(wrong(format!("a picture of {width} by {height} pixels is none"))),
        pixels if pixels > MOST_PIXELS => {
            Err(wrong(format!("a picture of {width} by {height} pixels is too large")))
        }
        pixels => Ok(usize::try_from(3 * pixels).expect("it was compared just now")),
    }
}

pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Screen, message)
}

/// Writes a file under another name first, so that nobody sees half of it.
pub(super) fn write_whole(
    path: &Utf8Path,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    let unfinished = path.with_file_name(format!(".{name}.unfinished"));
    let written = File::create(&unfinished)
        .map_err(Error::from)
        .and_then(|mut file| write(&mut file).and_then(|()| Ok(file.flush()?)))
        .and_then(|()| Ok(std::fs::rename(&unfinished, path)?));
    written.inspect_err(|_| {
        // It may not have come that far.
        let _ = std::fs::remove_file(&unfinished);
    })
}

/// The first bytes of a file, and the file at its beginning.
fn open(path: &Utf8Path) -> Result<(Vec<u8>, BufReader<File>)> {
    let mut file = File::open(path)?;
    let mut magic = Vec::new();
    (&mut file).take(MAGIC as u64).read_to_end(&mut magic)?;
    std::io::Seek::rewind(&mut file)?;
    Ok((magic, BufReader::new(file)))
}
