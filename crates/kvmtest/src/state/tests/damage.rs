use std::fs::File;
use std::os::unix::fs::{FileExt, symlink};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use super::*;

/// Turns one bit over, and lets the file look as before.
fn flip(path: &Utf8Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).expect("opened");
    let modified = file.metadata().expect("there").modified().expect("told");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("read");
    file.write_all_at(&[byte[0] ^ 1], at).expect("written");
    file.set_modified(modified).expect("set");
}

fn touch(path: &Utf8Path) {
    let file = File::options().write(true).open(path).expect("opened");
    let modified = file.metadata().expect("there").modified().expect("told");
    file.set_modified(modified - Duration::from_secs(1)).expect("set");
}

/// A state with this damage is not used: it is dropped, and made anew. The list says so if that
/// can be told without digesting large files.
#[track_caller]
fn broken(damage: impl Fn(&Utf8Path), part: Option<&str>) {
    let room = Room::new();
    let directory = room.want(&recipe("booted")).0.directory().to_owned();
    let check = |is_found: &dyn Fn() -> bool| {
        damage(&directory);
        let list = room.store.list().expect("listed");
        let [entry] = &list[..] else { panic!("{list:?}") };
        match (&entry.condition, part) {
            (Condition::Broken(why), Some(part)) => assert!(why.contains(part), "{why}"),
            (Condition::Foreign(version), Some(part)) => assert_eq!(version.to_string(), part),
            (condition, None) => assert_eq!(*condition, Condition::Unverified),
            other => panic!("{other:?}"),
        }
        assert!(!is_found());
    };
    check(&|| room.store.find(&recipe("booted")).expect("no error").is_some());
    room.has_nothing();
    room.want(&recipe("booted"));
    check(&|| !room.want(&recipe("booted")).1);
    assert_eq!(room.store.list().expect("listed")[0].condition, Condition::Whole);
    assert!(room.leftovers().is_empty());
}

#[test]
fn a_file_of_another_length() {
    let cut = |name: &'static str, length: u64| {
        move |state: &Utf8Path| {
            let file = File::options().write(true).open(state.join(name)).expect("opened");
            file.set_len(length).expect("set");
        }
    };
    broken(cut("memory", MEMORY - 1), Some("`memory` has"));
    broken(cut("memory", MEMORY + 1), Some("`memory` has"));
    broken(cut("memory", 0), Some("has 0 bytes, not 6291456"));
    broken(cut("devices", 3), Some("`devices` has 3 bytes"));
}

#[test]
fn one_bit() {
    let lost = Some("`devices` does not hold what was saved");
    broken(|state| flip(&state.join("devices"), 0), lost);
    let other_boot = |state: &Utf8Path| edit(state, |value| value["boot"] = json!("another"));
    for at in [1 << 20, (1 << 20) + 8, 0, MEMORY - 1] {
        let bit = |state: &Utf8Path| flip(&state.join("memory"), at);
        broken(
            |state| {
                bit(state);
                touch(&state.join("memory"));
            },
            None,
        );
        broken(
            |state| {
                bit(state);
                other_boot(state);
            },
            None,
        );
    }
}

#[test]
fn a_file_that_was_put_in_place_of_another() {
    broken(
        |state| {
            let (path, copy) = (state.join("memory"), state.join("copy"));
            std::fs::copy(&path, &copy).expect("copied");
            let modified = std::fs::metadata(&path).and_then(|old| old.modified()).expect("told");
            flip(&copy, 77);
            let file = File::options().write(true).open(&copy).expect("opened");
            file.set_modified(modified).expect("set");
            std::fs::rename(&copy, &path).expect("renamed");
        },
        None,
    );
}

#[test]
fn files_that_are_gone_or_no_files() {
    for name in ["memory", "devices"] {
        let path = |state: &Utf8Path| {
            let path = state.join(name);
            std::fs::remove_file(&path).expect("removed");
            path
        };
        broken(|state| drop(path(state)), Some("is missing"));
        broken(|state| symlink("/dev/zero", path(state)).expect("made"), Some("is no file"));
        broken(|state| std::fs::create_dir(path(state)).expect("made"), Some("is no file"));
        broken(
            |state| {
                mknodat(CWD, path(state).as_std_path(), FileType::Fifo, Mode::RUSR, 0)
                    .expect("made");
            },
            Some("is no file"),
        );
    }
}

#[test]
fn a_state_that_is_no_directory() {
    let removed = |state: &Utf8Path| std::fs::remove_dir_all(state).expect("removed");
    broken(
        |state| {
            removed(state);
            std::fs::write(state, "x").expect("written");
        },
        Some("it is no directory"),
    );
    broken(
        |state| {
            removed(state);
            symlink("/etc", state).expect("made");
        },
        Some("it is no directory"),
    );
    assert!(Utf8Path::new("/etc").is_dir());
}

#[test]
fn manifests_that_cannot_be_understood() {
    let with = |content: Vec<u8>| {
        move |state: &Utf8Path| std::fs::write(state.join("state.json"), &content).expect("written")
    };
    broken(with(Vec::new()), Some("is broken: EOF"));
    broken(with(b"{\"version\": 1, \"name\": \"boo".to_vec()), Some("is broken: EOF"));
    broken(with(b"{\"version\": 1}".to_vec()), Some("is broken: missing field"));
    broken(with(vec![0; 100]), Some("is broken"));
    broken(with(b"[".repeat(100_000)), Some("is broken"));
    broken(with(b"\x80\x1b[2J".to_vec()), Some("is broken"));
    let half = |state: &Utf8Path| {
        let path = state.join("state.json");
        let text = std::fs::read(&path).expect("there");
        std::fs::write(&path, &text[..text.len() / 2]).expect("written");
    };
    broken(half, Some("is broken: EOF"));
    let none = |state: &Utf8Path| std::fs::remove_file(state.join("state.json")).expect("removed");
    broken(none, Some("`state.json` is missing"));
    broken(|state| edit(state, |value| value["version"] = json!(99)), Some("99"));
    broken(|state| edit(state, |value| value["version"] = json!(0)), Some("0"));
}

#[test]
fn manifests_that_say_what_cannot_be() {
    let saying =
        |change: fn(&mut Value), part: &str| broken(|state| edit(state, change), Some(part));
    let called = "what files of a state are called";
    saying(|value| value["recipe"] = json!("mem: 1\n"), "another recipe");
    saying(|value| value["files"] = json!([]), called);
    saying(|value| value["files"][0]["name"] = json!("../../x"), called);
    saying(|value| value["files"][0]["name"] = json!("/etc/passwd"), called);
    saying(|value| value["files"][0]["name"] = json!(".."), called);
    saying(|value| value["files"][0]["name"] = json!("state.json"), called);
    saying(|value| value["files"][0]["name"] = json!("a\0b"), called);
    saying(|value| value["files"][0]["name"] = json!("x".repeat(300)), called);
    saying(|value| value["files"][0]["length"] = json!(1), "not 1");
    saying(|value| value["files"][0]["sha256"] = json!("0"), "does not hold");
    saying(|value| value["files"][0]["length"] = json!(-1), "is broken");
}

#[test]
fn what_only_looks_different_is_digested_and_noted() {
    let room = Room::new();
    let directory = room.want(&recipe("booted")).0.directory().to_owned();
    let condition = || room.store.list().expect("listed")[0].condition.clone();
    let other_boot = || edit(&directory, |value| value["boot"] = json!("another"));
    let copied = || {
        std::fs::copy(directory.join("memory"), directory.join("copy")).expect("copied");
        std::fs::rename(directory.join("copy"), directory.join("memory")).expect("renamed");
    };
    let touched = || touch(&directory.join("memory"));
    for change in [&other_boot as &dyn Fn(), &copied, &touched] {
        for is_built in [false, true] {
            change();
            assert_eq!(condition(), Condition::Unverified);
            if is_built {
                assert!(!room.want(&recipe("booted")).1);
            } else {
                assert!(room.store.find(&recipe("booted")).expect("no error").is_some());
            }
            assert_eq!(condition(), Condition::Whole, "it is noted");
        }
    }
    assert!(room.leftovers().is_empty());
}

#[test]
fn large_files_that_look_the_same_are_digested_once_in_each_boot() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    // A link is a change of the file that does not count.
    state.link_into(&room.scratch("vm1")).expect("linked");
    flip(&state.directory().join("memory"), 0);
    assert!(!room.want(&recipe("booted")).1, "nobody has looked inside");
    flip(&state.directory().join("devices"), 0);
    assert!(room.want(&recipe("booted")).1);
}

#[test]
fn while_somebody_has_the_lock_nothing_is_dropped() {
    let room = Room::new();
    let directory = room.want(&recipe("booted")).0.directory().to_owned();
    let lock = super::super::contents::lock(room.store.directory(), &recipe("booted").digest());
    let lock = crate::lock::Lock::try_take(&lock).expect("no error").expect("free");
    touch(&directory.join("memory"));
    assert!(room.store.find(&recipe("booted")).expect("no error").is_some(), "it is whole");
    flip(&directory.join("memory"), 0);
    assert!(room.store.find(&recipe("booted")).expect("no error").is_none());
    assert!(directory.exists());
    drop(lock);
    assert!(room.store.find(&recipe("booted")).expect("no error").is_none());
    assert!(!directory.exists());
}
