use std::os::unix::fs::{PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::error::{Error, ErrorKind};

#[test]
fn a_state_is_made_once_and_found_from_then_on() {
    let room = Room::new();
    let recipe = recipe("booted");
    assert!(room.store.find(&recipe).expect("no error").is_none());
    let (made, built) = room.want(&recipe);
    assert!(built);
    let (state, built) = room.want(&recipe);
    assert!(!built);
    assert_eq!(state.digest(), recipe.digest());
    assert_eq!((state.name(), state.recipe()), ("booted", recipe.text()));
    assert_eq!(state.directory(), made.directory());
    assert_eq!(state.facts().0["mac"], "52:54:00:00:00:01");
    assert_eq!(state.files().collect::<Vec<_>>(), ["devices", "disk-data.0.qcow2", "memory"]);
    let found = room.store.find(&recipe).expect("no error").expect("there");
    assert_eq!(found.facts(), state.facts());
    assert!(room.leftovers().is_empty());
    let mode = std::fs::metadata(state.directory()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_differs_in_one_line_is_another_state() {
    let room = Room::new();
    let recipes = ["256", "512"].map(|mem| recipe("booted").with("mem", mem));
    for recipe in &recipes {
        assert!(room.want(recipe).1);
    }
    for recipe in &recipes {
        assert!(!room.want(recipe).1);
    }
    assert_eq!(room.store.list().expect("listed").len(), 2);
}

/// With this builder nothing comes about, and nothing is left; the next one makes the state.
#[track_caller]
fn fails(build: impl FnOnce(&Draft) -> Result<Facts>, kind: ErrorKind, part: &str) {
    let room = Room::new();
    let error = room.store.find_or_build(&recipe("booted"), long(), build).expect_err(part);
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
    room.has_nothing();
    assert!(room.want(&recipe("booted")).1);
}

#[test]
fn a_builder_that_fails() {
    let gone = |draft: &Draft| {
        leave(draft, "half")?;
        Err(Error::new(ErrorKind::VmDead, "QEMU is gone"))
    };
    fails(gone, ErrorKind::VmDead, "QEMU is gone");
    let interrupted = |_: &Draft| Err(Error::new(ErrorKind::Interrupted, "interrupted"));
    fails(interrupted, ErrorKind::Interrupted, "interrupted");
}

#[test]
fn a_builder_that_leaves_what_is_no_state() {
    fails(|_| Ok(Facts::default()), ErrorKind::State, "no file");
    let check = |name: &'static str, leave: fn(&Utf8Path), part: &str| {
        let build = |draft: &Draft| {
            leave(&draft.directory().join(name));
            fill(draft)
        };
        fails(build, ErrorKind::State, part);
    };
    check("folder", |path| std::fs::create_dir(path).expect("made"), "`folder`, which is no file");
    check("link", |path| symlink("/etc/passwd", path).expect("made"), "`link`, which is no file");
    check("state.json", |path| std::fs::write(path, "{}").expect("written"), "`state.json`");
    let removed = |draft: &Draft| {
        std::fs::remove_dir(draft.directory()).expect("empty");
        Ok(Facts::default())
    };
    fails(removed, ErrorKind::Io, "keeping the state `booted`");
}

#[test]
fn a_builder_that_panics() {
    let room = Room::new();
    let build = |draft: &Draft| -> Result<Facts> {
        leave(draft, "half")?;
        panic!("a defect")
    };
    let want = AssertUnwindSafe(|| room.store.find_or_build(&recipe("booted"), long(), build));
    catch_unwind(want).expect_err("the panic comes out");
    room.has_nothing();
    assert!(room.want(&recipe("booted")).1);
}

#[test]
fn what_a_killed_builder_left_is_removed_by_the_next() {
    let room = Room::new();
    let draft = Draft::make(room.store.directory(), &recipe("booted").digest()).expect("made");
    leave(&draft, "half").expect("written");
    std::mem::forget(draft);
    let build = |draft: &Draft| {
        assert_eq!(room.leftovers().len(), 2, "this draft and its lock");
        fill(draft)
    };
    room.store.find_or_build(&recipe("booted"), long(), build).expect("made");
    assert!(room.leftovers().is_empty());
}

#[test]
fn a_builder_may_ask_for_another_state() {
    let room = Room::new();
    let build = |draft: &Draft| {
        let (base, built) = room.want(&recipe("booted"));
        assert!(built);
        base.link_into(draft.directory())?;
        Ok(base.facts().clone())
    };
    let found = room.store.find_or_build(&recipe("with_nginx"), long(), build).expect("made");
    assert!(found.built.is_some());
    assert!(!room.want(&recipe("booted")).1 && !room.want(&recipe("with_nginx")).1);
}
