//! Images are made before a test, and checked and removed after it.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest_tests::{Ended, Sandbox, write_executable};

use crate::{failing, outcome, passing, warnings};

/// A machine with a disk `disk.qcow2` of its own.
const DISK: [&str; 4] =
    ["images = sys", "image_name_sys = disk", "image_size_sys = 1M", "drive_format = virtio"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    DISK.into_iter().chain(more.iter().copied()).collect()
}

/// A sandbox, where there is a `qemu-img`.
fn sandbox() -> Option<Sandbox> {
    let found = Command::new("qemu-img").arg("--version").output().is_ok();
    if !found {
        kvmtest_tests::skip("qemu-img is not installed");
    }
    found.then(Sandbox::new)
}

fn disk(sandbox: &Sandbox) -> Utf8PathBuf {
    sandbox.work.join("disk.qcow2")
}

/// Makes an image with data in it.
fn make(path: &Utf8Path) {
    for (program, args) in [
        ("qemu-img", vec!["create", "-q", "-f", "qcow2", path.as_str(), "1M"]),
        ("qemu-io", vec!["-f", "qcow2", "-c", "write -P 7 0 128k", path.as_str()]),
    ] {
        assert!(Command::new(program).args(args).output().expect("it runs").status.success());
    }
}

/// Lets the first entry of the first level table of a qcow2 image be `entry`.
fn damage(path: &Utf8Path, entry: u64) {
    make(path);
    let mut bytes = std::fs::read(path).expect("read");
    let table = u64::from_be_bytes(bytes[40..48].try_into().expect("eight bytes"));
    let table = usize::try_from(table).expect("small");
    bytes[table..table + 8].copy_from_slice(&entry.to_be_bytes());
    std::fs::write(path, bytes).expect("written");
}

const LEAKS: u64 = 0;
const CORRUPT: u64 = (1 << 63) | 0x5_0200;

#[test]
fn a_missing_image_is_made_and_a_present_one_is_kept() {
    let Some(sandbox) = sandbox() else { return };
    passing(&sandbox, &with(&["create_image = yes"])).code(0).says(["PASS"]);
    let length = |path: &Utf8Path| std::fs::metadata(path).expect("there").len();
    assert!(length(&disk(&sandbox)) > 1000);
    std::fs::write(disk(&sandbox), "mine").expect("written");
    passing(&sandbox, &with(&["create_image = yes"])).code(0);
    assert_eq!(length(&disk(&sandbox)), 4);
    passing(&sandbox, &with(&["force_create_image_sys = yes"])).code(0);
    assert!(length(&disk(&sandbox)) > 1000);
    sandbox.is_empty();
}

#[test]
fn damage_is_judged_by_its_degree() {
    let Some(sandbox) = sandbox() else { return };
    let check = |entry: Option<u64>, expected: &str, part: &str| {
        match entry {
            Some(entry) => damage(&disk(&sandbox), entry),
            None => make(&disk(&sandbox)),
        }
        let ended = passing(&sandbox, &with(&["check_image = yes"]));
        assert_eq!(outcome(&sandbox), expected, "{ended}");
        let message = sandbox.result()["finished"]["message"].to_string();
        let text = format!("{message} {}", warnings(&sandbox));
        assert!(text.contains(part), "{text}");
    };
    check(None, "PASS", "");
    check(Some(LEAKS), "WARN", "leaked clusters");
    check(Some(CORRUPT), "FAIL", "is corrupt: ");
    std::fs::write(disk(&sandbox), "no image").expect("written");
    passing(&sandbox, &with(&["check_image = yes"])).code(0).says(["WARN"]);
    assert!(warnings(&sandbox).contains("could not be checked"));
}

#[test]
fn a_failed_test_stays_failed_with_a_corrupt_image() {
    let Some(sandbox) = sandbox() else { return };
    damage(&disk(&sandbox), CORRUPT);
    let ended = failing(&sandbox, &with(&["check_image_on_error = yes"]));
    ended.says(["cleaning up failed as well", "is corrupt"]);
    assert_eq!(outcome(&sandbox), "FAIL");
}

#[test]
fn every_step_is_done_whatever_becomes_of_those_before_it() {
    let Some(sandbox) = sandbox() else { return };
    damage(&disk(&sandbox), CORRUPT);
    let keys = ["check_image = yes", "remove_image = yes", "post_command = echo bad; exit 3"];
    passing(&sandbox, &with(&keys)).code(1).says(["ERROR  boot", "exit status: 3: bad"]);
    assert!(warnings(&sandbox).contains("is corrupt"));
    assert!(!disk(&sandbox).exists());
    sandbox.is_empty();
}

#[test]
fn an_image_is_removed_where_it_is_not_to_stay() {
    let Some(sandbox) = sandbox() else { return };
    make(&disk(&sandbox));
    let keys = with(&["remove_image = yes", "remove_image_sys_on_error = no"]);
    failing(&sandbox, &keys);
    assert!(disk(&sandbox).exists(), "kept to be looked at");
    passing(&sandbox, &keys).code(0);
    assert!(!disk(&sandbox).exists());
    sandbox.is_empty();
}

#[test]
fn an_image_in_use_is_left_alone() {
    let Some(sandbox) = sandbox() else { return };
    damage(&disk(&sandbox), CORRUPT);
    let keys = with(&["check_image = yes", "remove_image = yes", "kill_vm = no"]);
    passing(&sandbox, &keys).code(0).says(["PASS"]);
    assert!(disk(&sandbox).exists());
    // Made anew under a machine that lives: that one ends first.
    let keys = with(&["force_create_image = yes", "kill_vm = no"]);
    passing(&sandbox, &keys).code(0);
    sandbox.kvmtest(["env", "kill"]).code(0).says(["ended: vm1"]);
    sandbox.is_empty();
}

#[test]
fn an_image_that_cannot_be_made_is_an_error_with_the_reason() {
    let sandbox = Sandbox::new();
    let check = |binary: &str, parts: [&str; 2]| -> Ended {
        let binary = format!("qemu_img_binary = {binary}");
        let ended = passing(&sandbox, &with(&["create_image = yes", &binary]));
        ended.code(1).says(["ERROR  boot"]).says(parts);
        assert!(!disk(&sandbox).exists());
        ended
    };
    check("/nowhere/qemu-img", ["is not installed", "qemu-utils"]);
    let script = sandbox.root.join("full-disk");
    let text = "#!/bin/sh\necho half > \"$5\"\necho 'No space left on device' >&2\nexit 1\n";
    write_executable(&script, text);
    check(script.as_str(), ["No space left on device", "making the image `sys`"]);
    let files = sandbox.work.read_dir_utf8().expect("listed");
    let left: Vec<_> = files.map(|file| file.expect("a file").file_name().to_owned()).collect();
    assert!(!left.iter().any(|name| name.contains("disk")), "{left:?}");
    sandbox.is_empty();
}
