use std::fs::File;
use std::io::Write;
use std::process::Command;

use serde_json::json;

use super::*;
use crate::error::ErrorKind;

/// A store on a disk of 1 MiB, for as long as this lives.
struct Disk {
    room: Room,
    path: Utf8PathBuf,
}

impl Disk {
    fn mount() -> Option<Self> {
        let mut room = Room::new();
        let path = room.scratch("disk");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "kvmtest-tests", path.as_str()])
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            skip();
            return None;
        }
        room.store = Store::at(&path.join("states")).expect("opened");
        Some(Self { room, path })
    }

    /// Writes until there is no room left.
    fn fill(file: &Utf8Path) -> std::io::Error {
        let mut file = File::create(file).expect("made");
        loop {
            if let Err(error) = file.write_all(&[1; 4096]) {
                return error;
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).output();
    }
}

#[expect(clippy::print_stdout, reason = "the test harness shows what a test prints")]
fn skip() {
    println!("skipped: only root mounts a disk that is small enough to be full");
}

#[test]
fn a_disk_that_is_full_while_a_state_is_made() {
    let Some(disk) = Disk::mount() else { return };
    let (room, booted) = (&disk.room, recipe("booted"));
    let build = |draft: &Draft| Err(Disk::fill(&draft.directory().join("memory")).into());
    let error = room.store.find_or_build(&booted, long(), build).expect_err("full");
    assert!(error.to_string().contains("No space left"), "{error}");
    room.has_nothing();
    assert!(room.want(&booted).1, "there is room again");
}

#[test]
fn a_disk_that_is_full_when_the_state_is_noted() {
    let Some(disk) = Disk::mount() else { return };
    let room = &disk.room;
    let build = |draft: &Draft| {
        Disk::fill(&draft.directory().join("memory"));
        Ok(json!("x".repeat(10_000)).into())
    };
    let error = room.store.find_or_build(&recipe("booted"), long(), build).expect_err("full");
    let text = error.to_string();
    assert!(text.contains("No space left") && text.contains("keeping the state"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Io);
    room.has_nothing();
}

#[test]
fn a_disk_that_is_full_when_a_state_is_used() {
    let Some(disk) = Disk::mount() else { return };
    let room = &disk.room;
    let directory = room.want(&recipe("booted")).0.directory().to_owned();
    edit(&directory, |value| value["boot"] = json!("another"));
    Disk::fill(&disk.path.join("other"));
    let (state, built) = room.want(&recipe("booted"));
    assert!(!built, "that it cannot be noted does no harm");
    assert_eq!(room.store.remove("booted").expect("removed").len(), 1);
    assert_eq!(state.name(), "booted");
}
