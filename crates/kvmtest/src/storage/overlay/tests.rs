use std::process::Command;

use serde_json::Value;

use super::*;

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

    fn files(&self) -> Vec<String> {
        let entries = self.dir.read_dir_utf8().expect("listed");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_owned()).collect();
        names.sort();
        names
    }

    /// Runs `qemu-img` or `qemu-io` there; nothing where it is not installed.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let ran = Command::new(program).args(arguments).current_dir(&self.dir).output();
        let Ok(output) = ran else {
            println!("skipped: {program} is not installed");
            return None;
        };
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {words}");
        Some(String::from_utf8(output.stdout).expect("UTF-8"))
    }

    fn info(&self, image: &str) -> Option<Value> {
        let text = self.run("qemu-img", &["info", "--output=json", "-U", image])?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    /// Whether the guest sees the same in both, which are as large as each other.
    fn same(&self, one: &str, format: &str, other: &str) {
        let _ = self.run("qemu-img", &["compare", "-s", "-f", format, "-F", "qcow2", one, other]);
    }
}

#[test]
fn an_overlay_is_what_qemu_img_makes() {
    let place = Place::new();
    for (format, size) in [
        ("raw", "0"),
        ("raw", "512"),
        ("raw", "3M"),
        ("qcow2", "64K"),
        ("qcow2", "65K"),
        ("qcow2", "600M"),
        ("qcow2", "10G"),
        ("qcow2", "5T"),
        ("vmdk", "1M"),
        ("vpc", "4M"),
    ] {
        let name = format!("base.{format}");
        let Some(_) = place.run("qemu-img", &["create", "-q", "-f", format, &name, size]) else {
            return;
        };
        if matches!(size, "3M" | "600M") {
            let fill = ["-f", format, "-c", "write -P 7 1M 100k", &name];
            place.run("qemu-io", &fill).expect("installed with qemu-img");
        }
        for backing in [name.clone(), place.dir.join(&name).into_string()] {
            let case = format!("{size} of {format} as {backing}");
            let (ours, theirs) = (place.dir.join("ours"), place.dir.join("theirs"));
            make_overlay(&ours, Path::new(&backing), format, None).expect(&case);
            let create = ["create", "-q", "-f", "qcow2", "-F", format, "-b", &backing, "theirs"];
            place.run("qemu-img", &create);
            place.run("qemu-img", &["check", "-q", "ours"]);
            let (mut mine, mut their) =
                (place.info("ours").unwrap(), place.info("theirs").unwrap());
            // How many blocks a file has on the disk, and its own name.
            for info in [&mut mine, &mut their] {
                let info = info.as_object_mut().expect("an object");
                info.retain(|key, _| !["actual-size", "filename", "children"].contains(&&**key));
            }
            assert_eq!(mine, their, "{case}");
            let lengths = [&ours, &theirs].map(|path| path.metadata().expect("there").len());
            assert!(lengths[0] <= lengths[1].next_multiple_of(CLUSTER), "{case}: {lengths:?}");
            if size != "5T" {
                place.same(&name, format, "ours");
            }
        }
        std::fs::remove_file(place.dir.join(&name)).expect("removed");
    }
}

#[test]
fn what_is_written_stays_in_the_overlay() {
    let place = Place::new();
    std::fs::write(place.dir.join("base"), vec![7; 1 << 20]).expect("written");
    make_overlay(&place.dir.join("0"), Path::new("base"), "raw", None).expect("made");
    make_overlay(&place.dir.join("1"), Path::new("0"), "qcow2", None).expect("made");
    let commands = ["-f", "qcow2", "-c", "read -P 7 0 1M", "-c", "write -P 9 300k 200k", "1"];
    if place.run("qemu-io", &commands).is_none() {
        return;
    }
    for (image, value) in [("1", 9), ("0", 7)] {
        let read = format!("read -P {value} 300k 200k");
        let said = place.run("qemu-io", &["-f", "qcow2", "-c", &read, image]).expect("installed");
        assert!(!said.contains("verification failed"), "{image}: {said}");
    }
    place.run("qemu-img", &["check", "-q", "1"]);
    assert!(std::fs::read(place.dir.join("base")).expect("there") == vec![7; 1 << 20]);
    assert_eq!(place.files(), ["0", "1", "base"]);
}

#[test]
fn an_overlay_may_be_larger_than_what_is_below() {
    let place = Place::new();
    std::fs::write(place.dir.join("base"), "short").expect("written");
    let overlay = place.dir.join("overlay");
    make_overlay(&overlay, Path::new("base"), "raw", Some(1000)).expect("made");
    assert_eq!(size_of(&overlay, "qcow2").expect("read"), 1024);
    make_overlay(&overlay, Path::new("not there"), "raw", Some(1 << 40)).expect("nobody asks");
    assert_eq!(size_of(&overlay, "qcow2").expect("read"), 1 << 40);
}

#[test]
fn what_cannot_be_made_leaves_what_was_there() {
    let place = Place::new();
    let overlay = place.dir.join("overlay");
    std::fs::write(&overlay, "mine").expect("written");
    std::fs::write(place.dir.join("text"), "no image").expect("written");
    let check = |backing: &str, format: &str, part: &str| {
        let error = make_overlay(&overlay, Path::new(backing), format, None).expect_err(backing);
        let error = error.to_string();
        assert!(error.contains(part) && error.contains("making the overlay"), "{error}");
        assert_eq!(std::fs::read_to_string(&overlay).expect("there"), "mine");
        assert_eq!(place.files(), ["overlay", "text"]);
    };
    check("text", "qcow2", "no qcow2 image");
    check("absent", "qcow2", "No such file");
    check("absent", "raw", "No such file");
    check("nbd:here", "raw", "begin it with `./`");
    check("", "raw", "empty");
    check(&"long/".repeat(300), "raw", "");
    let nowhere = place.dir.join("nowhere/overlay");
    let error = make_overlay(&nowhere, Path::new("/dev/null"), "raw", None).expect_err("no folder");
    assert_eq!(error.kind(), ErrorKind::Image);
}

#[test]
fn plain_is_what_opens_by_itself() {
    let place = Place::new();
    std::fs::write(place.dir.join("raw"), vec![0; 4096]).expect("written");
    let (empty, on_top) = (place.dir.join("empty"), place.dir.join("top"));
    let header = Header { size: 1 << 20, backing: None }.bytes().expect("a header");
    write(&empty, &header, 4).expect("written");
    make_overlay(&on_top, Path::new("empty"), "qcow2", None).expect("made");
    let check = |name: &str, format: &str, plain: bool| {
        assert_eq!(is_plain(&place.dir.join(name), format), plain, "{name} as {format}");
    };
    check("raw", "raw", true);
    check("raw", "qcow2", false);
    check("raw", "vmdk", false);
    check("empty", "qcow2", true);
    check("top", "qcow2", false);
    check("absent", "raw", false);
    check("/dev/null", "raw", false);
}
