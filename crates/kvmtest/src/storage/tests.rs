//! Images by the real `qemu-img`, where there is one, and by small programs that pass for it.

use std::io::{Read, Write};
use std::process::Stdio;

use camino::Utf8Path;

use super::*;
use crate::host::program;

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

    fn params(&self, more: &[(&str, &str)]) -> Params {
        let base =
            [("images_dir", self.dir.as_str()), ("image_name", "disk"), ("image_size", "1M")];
        base.into_iter().chain(more.iter().copied()).collect()
    }

    fn image(&self, more: &[(&str, &str)]) -> Image {
        Image::of("image1", &self.params(more)).expect("described")
    }

    /// An image whose `qemu-img` is this shell script.
    fn scripted(&self, script: &str) -> Image {
        let path = self.dir.join("fake-img");
        kvmtest_tests::write_executable(&path, format!("#!/bin/sh\n{script}\n"));
        self.image(&[("qemu_img_binary", path.as_str()), ("qemu_img_timeout", "20")])
    }

    fn files(&self) -> Vec<String> {
        let entries = self.dir.read_dir_utf8().expect("listed");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect();
        names.sort();
        names
    }
}

/// Whether there is a real `qemu-img`; says so where there is none.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn is_real() -> bool {
    let found = program::find("qemu-img").is_some();
    if !found {
        println!("skipped: qemu-img is not installed");
    }
    found
}

#[test]
fn the_file_is_what_the_command_line_takes() {
    let place = Place::new();
    let check = |more: &[(&str, &str)], file: &str, format: &str| {
        let image = place.image(more);
        assert_eq!((image.path(), image.format()), (&*place.dir.join(file), format));
    };
    check(&[], "disk.qcow2", "qcow2");
    check(&[("image_format", "raw")], "disk.raw", "raw");
    check(&[("image_format", "vhd")], "disk.vhd", "vpc");
    check(&[("image_name", "disk.img"), ("image_format", "raw")], "disk.img", "raw");
    check(&[("image_name", "x"), ("image_raw_device", "yes")], "x", "raw");
    check(&[("image_name", "/dev/sdx")], "/dev/sdx", "qcow2");
    check(&[("image_name", "-x;$(y)")], "-x;$(y).qcow2", "qcow2");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_key() {
    let place = Place::new();
    for (key, value) in [
        ("image_size", "big"),
        ("image_format", "gif"),
        ("image_raw_device", "perhaps"),
        ("qemu_img_timeout", "soon"),
    ] {
        let error = Image::of("image1", &place.params(&[(key, value)])).expect_err(key);
        assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
    }
}

#[test]
fn all_images_but_the_guests_own_are_listed() {
    let params: Params = [
        ("images", "system data extra"),
        ("image_name_system", "a"),
        ("image_name_extra", "b"),
        ("image_size_extra", "3M"),
        ("boot_drive_extra", "no"),
    ]
    .into_iter()
    .collect();
    let images = Image::all(&params).expect("read");
    let names: Vec<_> = images.iter().map(|image| (image.name(), image.size())).collect();
    assert_eq!(names, [("system", 10 << 30), ("extra", 3 << 20)]);
    assert!(Image::all(&Params::new()).expect("read").is_empty());
}

#[test]
fn an_image_is_made_looked_at_checked_and_removed() {
    if !is_real() {
        return;
    }
    let place = Place::new();
    for format in ["qcow2", "raw", "vmdk"] {
        let image = place.image(&[("image_format", format)]);
        assert!(!image.exists());
        image.create().expect("made");
        image.create().expect("made anew");
        let info = image.info().expect("read");
        assert_eq!((&*info.format, info.virtual_size), (format, 1 << 20));
        let expected = if format == "raw" { Check::Unsupported } else { Check::Clean };
        assert_eq!(image.check().expect("checked"), expected, "{format}");
        assert!(image.remove().expect("removed"));
        assert!(!image.remove().expect("nothing to do"));
        assert!(place.files().is_empty(), "{:?}", place.files());
    }
}

#[test]
fn what_a_machine_has_open_is_neither_made_anew_nor_removed() {
    if !is_real() || program::find("qemu-io").is_none() {
        return;
    }
    let place = Place::new();
    for (format, mode) in [("qcow2", "rw"), ("qcow2", "ro"), ("raw", "rw"), ("raw", "ro")] {
        let image = place.image(&[("image_format", format)]);
        image.create().expect("made");
        let mut user = std::process::Command::new("qemu-io")
            .args(["-f", format])
            .args((mode == "ro").then_some("-r"))
            .arg(image.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut commands = user.stdin.take().expect("a pipe");
        let mut answers = user.stdout.take().expect("a pipe");
        commands.write_all(b"length\n").expect("it listens");
        answers.read_exact(&mut [0]).expect("it has opened it");
        let before = std::fs::read(image.path()).expect("there");
        for refused in [image.create(), image.remove().map(drop)] {
            let error = refused.expect_err("it is in use");
            assert_eq!(error.kind(), ErrorKind::Image);
            assert!(error.to_string().contains("a machine has it open"), "{format}: {error}");
        }
        assert!(std::fs::read(image.path()).expect("there") == before && place.files().len() == 1);
        drop(commands);
        user.wait().expect("it ends");
        assert!(image.remove().expect("nobody uses it"));
    }
}

/// Breaks a qcow2 image: the entry of its first level table that leads to the data of the guest.
fn corrupt(path: &Utf8Path, entry: u64) {
    let mut bytes = std::fs::read(path).expect("read");
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight"));
    let table = usize::try_from(number(40)).expect("small");
    bytes[table..table + 8].copy_from_slice(&entry.to_be_bytes());
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn damage_is_told_by_its_degree() {
    if !is_real() {
        return;
    }
    let place = Place::new();
    let image = place.image(&[]);
    let check = |break_it: &dyn Fn()| {
        image.create().expect("made");
        let fill = ["-f", "qcow2", "-c", "write -P 7 0 128k", image.path().as_str()];
        let ended = HostCommand::new("qemu-io").args(fill).run(std::time::Duration::from_secs(60));
        assert!(ended.expect("it ends").status.success());
        break_it();
        image.check().expect("checked")
    };
    // A table that nothing leads to any more; one that lies outside of the file; no image at all.
    assert!(matches!(check(&|| corrupt(image.path(), 0)), Check::Leaks(1..)));
    let odd = (1u64 << 63) | 0x5_0200;
    assert!(matches!(check(&|| corrupt(image.path(), odd)), Check::Corrupt(_)));
    let shred = || std::fs::write(image.path(), [0xff; 4096]).expect("written");
    let Check::Unfinished(words) = check(&shred) else { panic!("it was opened") };
    assert!(words.contains("qcow2"), "{words}");
}

use crate::host::HostCommand;

#[test]
fn an_image_that_is_missing_cannot_be_read() {
    if !is_real() {
        return;
    }
    let image = Place::new().image(&[]);
    assert_eq!(image.info().expect_err("missing").kind(), ErrorKind::Image);
    assert!(matches!(image.check().expect("asked"), Check::Unfinished(_)));
    assert_eq!(image.create().expect_err("its directory is gone").kind(), ErrorKind::Image);
}

#[test]
fn what_goes_wrong_leaves_what_was_there() {
    let place = Place::new();
    let script = "echo half > \"$5\"; echo \"Could not create '$5': No space left on device\" >&2";
    let image = place.scripted(&format!("{script}; exit 1"));
    std::fs::write(image.path(), "mine").expect("written");
    let error = image.create().expect_err("the disk is full").to_string();
    let words = format!("Could not create '{}': No space left on device", image.path());
    assert!(error.contains(&words), "{error}");
    assert!(error.contains("making the image `image1`"), "{error}");
    assert_eq!(std::fs::read_to_string(image.path()).expect("there"), "mine");
    assert_eq!(place.files(), ["disk.qcow2", "fake-img"]);
}

#[test]
fn the_exit_status_decides() {
    let place = Place::new();
    let check = |script: &str, expected: &Check| {
        assert_eq!(&place.scripted(script).check().expect("asked"), expected, "{script}");
    };
    check("exit 0", &Check::Clean);
    check("echo '{\"corruptions\":4,\"leaks\":2}'; exit 2", &Check::Corrupt(4));
    check("echo '{\"leaks\":3}'; exit 3", &Check::Leaks(3));
    check("echo 'no report'; exit 3", &Check::Leaks(0));
    check("exit 63", &Check::Unsupported);
    check("echo why >&2; exit 1", &Check::Unfinished("exit status: 1: why".into()));
    check("kill -9 $$", &Check::Unfinished("signal: 9 (SIGKILL)".into()));
}

#[test]
fn a_program_that_is_missing_or_hangs_is_told_of() {
    let place = Place::new();
    let image = place.image(&[("qemu_img_binary", "/nowhere/qemu-img")]);
    let error = image.check().expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::Host);
    assert!(error.to_string().contains("is not installed"), "{error}");
    let mut params = place.params(&[("qemu_img_timeout", "200ms")]);
    params.set("qemu_img_binary", place.scripted("exec sleep 1000").program());
    let error = Image::of("image1", &params).expect("described").info().expect_err("hangs");
    assert!(error.to_string().contains("did not end within 0.2 s"), "{error}");
    let error = place.scripted("echo '{'").info().expect_err("no JSON").to_string();
    assert!(error.contains("cannot be understood"), "{error}");
}

#[test]
fn what_is_no_file_is_not_removed() {
    let place = Place::new();
    let image = place.image(&[("image_name", "/dev/null"), ("image_format", "raw")]);
    let error = image.remove().expect_err("a device").to_string();
    assert!(error.contains("it is no file"), "{error}");
    let image = place.image(&[("image_name", "."), ("image_raw_device", "yes")]);
    image.remove().expect_err("a directory");
    assert!(place.dir.is_dir());
}
