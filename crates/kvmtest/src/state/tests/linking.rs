use std::os::unix::fs::MetadataExt;

use super::*;
use crate::error::ErrorKind;

fn count(directory: &Utf8Path) -> usize {
    std::fs::read_dir(directory).expect("there").count()
}

#[test]
fn a_machine_has_the_very_files_and_keeps_them() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    let before = room.store.list().expect("listed")[0].used.expect("told");
    let machines = ["vm1", "vm2"].map(|name| room.scratch(name));
    for machine in &machines {
        state.link_into(machine).expect("linked");
        assert_eq!(count(machine), 3, "`state.json` stays where it is");
    }
    assert!(room.store.list().expect("listed")[0].used.expect("told") >= before);
    let inode = |path: &Utf8Path| std::fs::metadata(path.join("memory")).expect("there").ino();
    assert_eq!(inode(&machines[0]), inode(state.directory()));
    room.store.remove("booted").expect("removed");
    assert!(!state.directory().exists());
    assert_eq!(inode(&machines[0]), inode(&machines[1]));
    assert_eq!(std::fs::metadata(machines[0].join("memory")).expect("there").len(), MEMORY);
}

#[test]
fn a_state_that_was_dropped_meanwhile() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    let machine = room.scratch("vm1");
    let check = || {
        let error = state.link_into(&machine).expect_err("gone");
        assert_eq!(error.kind(), ErrorKind::StateGone);
        assert!(error.to_string().contains("`booted`"), "{error}");
        assert_eq!(count(&machine), 0);
    };
    room.store.gc(0).expect("no error");
    check();
    // One that was made anew is another.
    assert!(room.want(&recipe("booted")).1);
    check();
    room.want(&recipe("booted")).0.link_into(&machine).expect("linked");
}

#[test]
fn a_state_that_is_dropped_while_it_is_linked() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    let machine = room.scratch("vm1");
    // So far as somebody who removes it has come.
    std::fs::remove_file(state.directory().join("memory")).expect("removed");
    let error = state.link_into(&machine).expect_err("gone");
    assert_eq!(error.kind(), ErrorKind::StateGone);
    assert_eq!(count(&machine), 0, "nothing of it is left");
}

#[test]
fn places_that_cannot_be_linked_into() {
    let room = Room::new();
    let state = room.want(&recipe("booted")).0;
    let error = state.link_into(&room.place.join("nowhere")).expect_err("no such place");
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("nowhere"), "{error}");
    let machine = room.scratch("vm1");
    std::fs::write(machine.join("disk-data.0.qcow2"), "mine").expect("written");
    let error = state.link_into(&machine).expect_err("in the way");
    assert_eq!(error.kind(), ErrorKind::State);
    assert!(error.to_string().contains("disk-data.0.qcow2"), "{error}");
    assert_eq!(count(&machine), 1);
    assert_eq!(std::fs::read(machine.join("disk-data.0.qcow2")).expect("there"), b"mine");
}
