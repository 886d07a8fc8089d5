//! PNG.

use std::io::{BufRead, Seek, Write};

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits, Transformations};

use super::picture::{Picture, bytes, wrong};
use crate::error::Result;

/// What the decoder may take for itself, besides the pixels.
const LIMITS: Limits = Limits { bytes: 16 << 20 };

pub(super) fn is_png(magic: &[u8]) -> bool {
    magic == b"\x89PNG\r\n\x1a\n"
}

/// Reads a picture of any kind of PNG, its transparency left out.
pub(super) fn read(file: impl BufRead + Seek) -> Result<Picture> {
    let mut decoder = decoder(file);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(broken)?;
    // Before anything is taken for the pixels.
    bytes(header.width, header.height)?;
    let mut reader = decoder.read_info().map_err(broken)?;
    let size = reader.output_buffer_size().ok_or_else(|| wrong("it is too large"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(broken)?;
    pixels.truncate(info.buffer_size());
    let rgb = match info.color_type {
        ColorType::Rgb => pixels,
        ColorType::Rgba => pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
        ColorType::Grayscale => pixels.iter().flat_map(|p| [*p; 3]).collect(),
        ColorType::GrayscaleAlpha => pixels.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect(),
        ColorType::Indexed => return Err(wrong("its palette was not resolved")),
    };
    Picture::new(info.width, info.height, rgb)
}

/// Reads a picture's size.
pub(super) fn size(file: impl BufRead + Seek) -> Result<(u32, u32)> {
    let mut decoder = decoder(file);
    let header = decoder.read_header_info().map_err(broken)?;
    bytes(header.width, header.height)?;
    Ok((header.width, header.height))
}

/// Writes a picture.
pub(super) fn write(picture: &Picture, file: impl Write) -> Result<()> {
    let encoder = encoder(file, picture.width(), picture.height());
    let mut writer = encoder.write_header().map_err(lost)?;
    writer.write_image_data(picture.rgb()).map_err(lost)?;
    writer.finish().map_err(lost)
}

/// How all of our pictures are written.
pub(super) fn encoder<'a, W: Write>(file: W, width: u32, height: u32) -> Encoder<'a, W> {
    let mut encoder = Encoder::new(file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    encoder
}

/// What could not be written.
pub(super) fn lost(error: png::EncodingError) -> crate::Error {
    match error {
        png::EncodingError::IoError(error) => error.into(),
        other => wrong(other.to_string()),
    }
}

fn decoder<R: BufRead + Seek>(file: R) -> Decoder<R> {
    let mut decoder = Decoder::new_with_limits(file, LIMITS);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder
}

fn broken(error: png::DecodingError) -> crate::Error {
    wrong(format!("it is no PNG that can be read: {error}"))
}
