//! Pictures that are right, broken, cut and hostile.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::*;
use crate::error::ErrorKind;

struct Place {
    _keep: tempfile::TempDir,
    dir: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
        Self { _keep: keep, dir }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Utf8PathBuf {
        let path = self.dir.join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    fn picture(&self, name: &str, (width, height): (u32, u32), color: u8) -> Utf8PathBuf {
        let path = self.dir.join(name);
        let rgb = vec![color; 3 * width as usize * height as usize];
        Picture::new(width, height, rgb).expect("a picture").write_png(&path).expect("written");
        path
    }
}

fn frame(path: &Utf8Path) -> Frame {
    Frame { path: path.to_owned(), delay: Duration::from_millis(500) }
}

#[test]
fn a_ppm_becomes_a_png_with_the_same_pixels() {
    let place = Place::new();
    let check = |header: &str| {
        let bytes = [header.as_bytes(), b"\x01\x02\x03\x0a\x23\xff"].concat();
        let ppm = place.file("a.ppm", &bytes);
        assert_eq!(Picture::size_of(&ppm).expect("read"), (2, 1), "{header}");
        let picture = Picture::read(&ppm).expect("read");
        let png = place.dir.join("a.png");
        picture.write_png(&png).expect("written");
        assert_eq!(Picture::size_of(&png).expect("read"), (2, 1));
        assert_eq!(Picture::read(&png).expect("read"), picture, "{header}");
        assert_eq!(picture.rgb(), b"\x01\x02\x03\x0a\x23\xff");
    };
    check("P6\n2 1\n255\n");
    check("P6 2\t1 255 ");
    check("P6\n# made by hand\n2 # wide\n1\n255\n");
}

#[test]
fn what_is_no_picture_is_refused() {
    let place = Place::new();
    let check = |bytes: &[u8], part: &str| {
        let path = place.file("x", bytes);
        let error = Picture::read(&path).expect_err("no picture");
        assert_eq!(error.kind(), ErrorKind::Screen, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.to_string().contains("/x"), "{error}");
    };
    check(b"", "neither PNG nor PPM");
    check(b"P", "neither PNG nor PPM");
    check(b"P5\n1 1\n255\nxxx", "neither PNG nor PPM");
    check(b"GIF89a", "neither PNG nor PPM");
    check(b"P6", "header is broken");
    check(b"P6\n1", "header is broken");
    check(b"P6\n1 -1 255\nxxx", "header is broken");
    check(b"P6\n1 1 65535\nxxxxxx", "brightest");
    check(b"P6\n0 1 255\n", "is none");
    check(b"P6\n99999999999 1 255\n", "header is broken");
    check(b"P6\n4294967295 4294967295 255\n", "too large");
    check(b"P6\n9999999999 1 255\n", "too large");
    check(b"P6\n2 1 255\nxxxxx", "ends after 5 of 6 bytes");
    check(b"P6\n1 1 255\nxxxx", "behind the pixels");
    check(&[b"P6 ".to_vec(), vec![b' '; 1 << 20]].concat(), "has no end");
    check(&[b"P6 #".to_vec(), vec![b'x'; 1 << 20]].concat(), "has no end");
    check(b"\x89PNG\r\n\x1a\n", "no PNG that can be read");
    check(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "no PNG that can be read");
}

#[test]
fn every_cut_and_every_changed_byte_of_a_png_is_survived() {
    let place = Place::new();
    let path = place.picture("a.png", (5, 4), 7);
    let whole = std::fs::read(&path).expect("read");
    let right = Picture::read(&path).expect("read");
    for length in 0..whole.len() {
        let cut = place.file("cut.png", &whole[..length]);
        // Its last chunk says nothing of the pixels.
        if let Ok(picture) = Picture::read(&cut) {
            assert_eq!(picture, right);
        }
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        let _ = Picture::read(&place.file("odd.png", &bytes));
    }
}

#[test]
fn a_png_that_promises_too_much_takes_no_memory() {
    let place = Place::new();
    let path = place.picture("a.png", (1, 1), 0);
    let mut bytes = std::fs::read(&path).expect("read");
    for (width, height) in [(u32::MAX, u32::MAX), (1 << 30, 1), (65_536, 65_536)] {
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let path = place.file("bomb.png", &bytes);
        // The checksum is wrong as well; whichever is seen first, it is refused.
        Picture::read(&path).expect_err("too large");
        Picture::size_of(&path).expect_err("too large");
    }
}

#[test]
fn every_kind_of_png_is_read() {
    use ::png::{BitDepth, ColorType, Encoder};
    let place = Place::new();
    let check = |color, depth, data: &[u8], expected: &[u8]| {
        let path = place.dir.join("kind.png");
        let file = std::fs::File::create(&path).expect("made");
        let mut encoder = Encoder::new(file, 1, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![9, 8, 7]);
        }
        let mut writer = encoder.write_header().expect("written");
        writer.write_image_data(data).expect("written");
        writer.finish().expect("written");
        assert_eq!(Picture::read(&path).expect("read").rgb(), expected, "{color:?}");
    };
    check(ColorType::Rgba, BitDepth::Eight, &[1, 2, 3, 0], &[1, 2, 3]);
    check(ColorType::Rgb, BitDepth::Sixteen, &[1, 0, 2, 0, 3, 0], &[1, 2, 3]);
    check(ColorType::Grayscale, BitDepth::One, &[0x80], &[255; 3]);
    check(ColorType::GrayscaleAlpha, BitDepth::Eight, &[5, 1], &[5; 3]);
    check(ColorType::Indexed, BitDepth::Eight, &[0], &[9, 8, 7]);
}

#[test]
fn pixels_must_be_as_many_as_the_size_says() {
    Picture::new(2, 2, vec![0; 11]).expect_err("one is missing");
    Picture::new(0, 0, Vec::new()).expect_err("none");
    Picture::black(u32::MAX, u32::MAX).expect_err("too large");
}

#[test]
fn an_animated_picture_has_every_frame_that_can_be_read() {
    let place = Place::new();
    let broken = place.file("b.png", b"\x89PNG\r\n\x1a\nno");
    let whole = std::fs::read(place.picture("whole.png", (64, 64), 200)).expect("read");
    // Its header is right, and its pixels are not there.
    let cut = place.file("cut.png", &whole[..whole.len() / 2]);
    let frames = [
        frame(&place.picture("1.png", (2, 3), 10)),
        frame(&broken),
        frame(&place.file("2.ppm", b"P6\n4 1\n255\nabcdefghijkl")),
        frame(&cut),
        frame(&place.dir.join("missing.png")),
    ];
    let target = place.dir.join("all.png");
    assert_eq!(animate(&frames, &target).expect("made"), 3);
    let file = std::io::BufReader::new(std::fs::File::open(&target).expect("there"));
    let mut reader = ::png::Decoder::new(file).read_info().expect("read");
    let control = *reader.info().animation_control().expect("animated");
    assert_eq!((control.num_frames, control.num_plays), (3, 0));
    assert_eq!((reader.info().width, reader.info().height), (64, 64));
    let mut buffer = vec![0; reader.output_buffer_size().expect("small")];
    let corners: Vec<[u8; 3]> = (0..3)
        .map(|_| {
            reader.next_frame(&mut buffer).expect("a frame");
            [buffer[0], buffer[1], buffer[2]]
        })
        .collect();
    assert_eq!(corners, [[10; 3], *b"abc", *b"abc"]);
    let control = reader.info().frame_control().expect("a frame");
    assert_eq!((control.delay_num, control.delay_den), (500, 1000));
    // A picture as well for who knows nothing of animation.
    assert_eq!(Picture::read(&target).expect("read").width(), 64);
}

#[test]
fn an_animated_picture_of_nothing_is_none() {
    let place = Place::new();
    let target = place.dir.join("all.png");
    for frames in [vec![], vec![frame(&place.file("x", b"x"))]] {
        animate(&frames, &target).expect_err("nothing to show");
        assert!(!target.exists());
    }
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let place = Place::new();
    let picture = Picture::black(1, 1).expect("small");
    picture.write_png(&place.dir.join("missing/a.png")).expect_err("no directory");
    std::fs::create_dir(place.dir.join("taken.png")).expect("made");
    picture.write_png(&place.dir.join("taken.png")).expect_err("a directory");
    assert_eq!(place.dir.read_dir_utf8().expect("listed").count(), 1);
}
