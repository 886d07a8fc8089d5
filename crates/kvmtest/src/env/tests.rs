use std::sync::atomic::{AtomicU32, Ordering};

use super::file::EnvFile;
use super::*;

struct Room {
    _keep: tempfile::TempDir,
    path: Utf8PathBuf,
}

fn room() -> Room {
    let keep = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8").join("env.json");
    Room { _keep: keep, path }
}

#[track_caller]
fn refused(content: &[u8], parts: &[&str]) {
    let room = room();
    std::fs::write(&room.path, content).expect("written");
    let error = Env::open(&room.path).err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::Env);
    let text = error.to_string();
    for part in [room.path.as_str(), "kvmtest env gc"].iter().chain(parts) {
        assert!(text.contains(part), "`{text}` lacks `{part}`");
    }
    assert_eq!(std::fs::read(&room.path).expect("there"), content, "nothing is lost");
}

#[test]
fn a_file_that_cannot_be_understood_is_refused_and_kept() {
    refused(b"", &["is broken"]);
    refused(b"{\"version\": 1, \"vms\": {\"vm1\": {\"na", &["is broken"]);
    refused(b"\x80\x04\x95cos\nsystem\n", &["is broken"]);
    refused(b"{\"version\": 1, \"vms\": []}", &["is broken"]);
    refused(b"{\"version\": 99, \"vms\": {}}", &["version 99", "knows version 1", "newer"]);
    refused(b"{\"version\": 0}", &["version 0", "older"]);
}

#[test]
fn a_file_that_keeps_nothing_goes_and_its_lock_with_it() {
    let room = room();
    let env = Env::open(&room.path).expect("there need be no file");
    env.set_holder(Some(ProcessId::own().expect("we live"))).expect("written");
    env.tidy().expect("tidied");
    assert!(room.path.exists(), "a run holds it");
    env.set_holder(None).expect("written");
    env.tidy().expect("tidied");
    let left: Vec<_> =
        std::fs::read_dir(room.path.parent().expect("a parent")).expect("a list").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn updates_of_several_threads_are_all_kept() {
    let room = room();
    let file = EnvFile::new(&room.path);
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    file.update(|content| {
                        // A lost update would let two threads read the same number.
                        let guard = content.guard.take().unwrap_or_else(|| "0".into());
                        let count: u32 = guard.as_str().parse().expect("a number");
                        content.guard = Some((count + 1).to_string().into());
                        next.fetch_add(1, Ordering::Relaxed);
                    })
                    .expect("updated");
                }
            });
        }
    });
    let count = file.read().expect("whole").guard.expect("written");
    assert_eq!(count.as_str(), next.load(Ordering::Relaxed).to_string());
}

#[test]
fn a_vm_that_nobody_knows_cannot_be_made_without_params() {
    let room = room();
    let env = Env::open(&room.path).expect("opened");
    let error = env.get_living_vm("vm1").err().expect("nothing to make it from");
    assert_eq!(error.kind(), ErrorKind::VmMissing);
    assert!(error.message().contains("`vm1`"), "{error}");
}

#[test]
fn the_guard_comes_back_with_the_file() {
    let room = room();
    let env = Env::open(&room.path).expect("opened");
    env.set_guard(Utf8Path::new("/bin/true")).expect("written");
    let same = env.clone().with_face(Face::Harness);
    for view in [&env, &same] {
        // As whoever ends the last machine does it.
        super::file::forget(&room.path, "vm1", "gone").expect("forgotten");
        assert!(!room.path.exists(), "it names no machine");
        view.set_overlays(None).expect("written");
        let there = EnvFile::new(&room.path).read().expect("read");
        assert_eq!(there.guard.as_deref(), Some(Utf8Path::new("/bin/true")));
    }
    let other = Env::open(&room.path).expect("opened");
    other.set_guard(Utf8Path::new("/bin/false")).expect("written");
    env.set_overlays(None).expect("written");
    let there = EnvFile::new(&room.path).read().expect("read");
    assert_eq!(there.guard.as_deref(), Some(Utf8Path::new("/bin/false")), "what the file says");
}

#[test]
fn what_a_writer_that_was_killed_left_is_cleared_up() {
    let room = room();
    let path = &room.path;
    let half = path.with_extension("new");
    let env = Env::open(path).expect("opened");
    std::fs::write(&half, "{\"vers").expect("written");
    env.set_guard(Utf8Path::new("/bin/true")).expect("written over");
    assert!(path.exists() && !half.exists());
    for is_there in [true, false] {
        std::fs::write(&half, "{\"vers").expect("written");
        if !is_there {
            let _ = std::fs::remove_file(path);
        }
        super::file::forget(path, "vm1", "gone").expect("forgotten");
        assert!(!path.exists() && !half.exists(), "{is_there}");
    }
}
