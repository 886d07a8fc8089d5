//! Many screens as one animated picture (APNG), which any browser shows.

use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::picture::{Picture, bytes, write_whole, wrong};
use super::png::{encoder, lost};
use crate::error::{Context, Result};

/// A screen of an animated picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// A PNG or PPM file.
    pub path: Utf8PathBuf,
    /// How long it is shown.
    pub delay: Duration,
}

/// Makes one animated PNG at `target` of `frames`, which repeats for ever. Says how many frames it
/// has: what cannot be read is left out, and it is an error if that is everything.
///
/// It is as large as the largest frame; smaller ones are in its upper left corner.
pub fn animate(frames: &[Frame], target: &Utf8Path) -> Result<usize> {
    let readable: Vec<(&Frame, (u32, u32))> = frames
        .iter()
        .filter_map(|frame| Some((frame, Picture::size_of(&frame.path).ok()?)))
        .collect();
    let width = readable.iter().map(|(_, size)| size.0).max().unwrap_or_default();
    let height = readable.iter().map(|(_, size)| size.1).max().unwrap_or_default();
    let doing = || format!("making the animated picture {target}");
    if readable.is_empty() {
        return Err(wrong("none of its frames can be read")).with_context(doing);
    }
    bytes(width, height).with_context(doing)?;
    let frames: Vec<&Frame> = readable.into_iter().map(|(frame, _)| frame).collect();
    write_whole(target, |file| write(&frames, (width, height), file)).with_context(doing)?;
    Ok(frames.len())
}

fn write(frames: &[&Frame], (width, height): (u32, u32), file: &mut File) -> Result<()> {
    let mut encoder = encoder(BufWriter::new(file), width, height);
    let count = u32::try_from(frames.len()).map_err(|_| wrong("it has too many frames"))?;
    encoder.set_animated(count, 0).map_err(lost)?;
    let mut writer = encoder.write_header().map_err(lost)?;
    let mut shown = Picture::black(width, height)?;
    for frame in frames {
        // The header has promised a frame: one whose pixels are broken shows what was before it.
        if let Ok(picture) = Picture::read(&frame.path) {
            shown = picture.on_canvas(Picture::black(width, height)?);
        }
        let milliseconds = u16::try_from(frame.delay.as_millis()).unwrap_or(u16::MAX);
        writer.set_frame_delay(milliseconds, 1000).map_err(lost)?;
        writer.write_image_data(shown.rgb()).map_err(lost)?;
    }
    writer.finish().map_err(lost)
}
