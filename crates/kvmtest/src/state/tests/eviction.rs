use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::super::contents;
use super::*;
use crate::error::ErrorKind;
use crate::lock::Lock;

/// Lets the state look as if it had been used so many hours ago.
fn used(state: &State, hours: u64) {
    let file = File::options().write(true).open(state.directory().join("state.json"));
    let then = SystemTime::now() - Duration::from_secs(3600 * hours);
    file.and_then(|file| file.set_modified(then)).expect("set");
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_deref().unwrap_or("")).collect()
}

fn left(room: &Room) -> Vec<String> {
    let list = room.store.list().expect("listed");
    let mut names: Vec<_> = list.into_iter().filter_map(|entry| entry.name).collect();
    names.sort();
    names
}

/// What one of the states takes.
fn size(room: &Room) -> u64 {
    room.store.list().expect("listed").iter().map(|entry| entry.bytes).max().expect("one")
}

#[test]
fn the_least_recently_used_goes_first() {
    let room = Room::new();
    let states = ["a", "b", "c"].map(|name| room.want(&recipe(name)).0);
    for (state, hours) in states.iter().zip([1, 3, 2]) {
        used(state, hours);
    }
    let one = size(&room);
    assert!((1..MEMORY).contains(&one), "holes do not count: {one}");
    assert!(room.store.gc(3 * one).expect("no error").is_empty());
    let scratch = room.scratch("vm1");
    states[1].link_into(&scratch).expect("linked");
    assert_eq!(names(&room.store.gc(2 * one).expect("no error")), ["c"]);
    assert_eq!(names(&room.store.gc(0).expect("no error")), ["a", "b"]);
    room.has_nothing();
    assert!(scratch.join("memory").exists(), "a machine keeps what it has");
}

#[test]
fn what_was_made_just_now_stays_whatever_the_limit() {
    let room = Room::new();
    let store = room.store.clone().with_limit(0);
    for name in ["a", "b", "c"] {
        let found = store.find_or_build(&recipe(name), long(), fill).expect("made");
        assert!(found.built.is_some());
        assert_eq!(left(&room), [name]);
        found.state.link_into(&room.scratch(name)).expect("it is there");
    }
    let found = store.find_or_build(&recipe("c"), long(), fill).expect("found");
    assert!(found.built.is_none());
    // A builder who fails has no place to make.
    let fails = |_: &Draft| Err(crate::error::Error::new(ErrorKind::VmDead, "QEMU is gone"));
    store.find_or_build(&recipe("d"), long(), fails).expect_err("it fails");
    assert_eq!(left(&room), ["c"]);
}

#[test]
fn what_is_broken_goes_at_any_limit_and_what_others_understand_does_not() {
    let room = Room::new();
    let [broken, foreign, _] =
        ["broken", "foreign", "whole"].map(|name| room.want(&recipe(name)).0);
    std::fs::remove_file(broken.directory().join("devices")).expect("removed");
    edit(foreign.directory(), |value| value["version"] = 99.into());
    let removed = room.store.gc(u64::MAX).expect("no error");
    assert_eq!(names(&removed), ["broken"]);
    assert_eq!(removed[0].condition, Condition::Broken("`devices` is missing".to_owned()));
    assert_eq!(room.store.list().expect("listed").len(), 2);
    assert_eq!(room.store.gc(0).expect("no error").len(), 2);
}

#[test]
fn what_somebody_works_on_stays() {
    let room = Room::new();
    room.want(&recipe("booted"));
    let path = contents::lock(room.store.directory(), &recipe("booted").digest());
    let lock = Lock::try_take(&path).expect("no error").expect("free");
    assert!(room.store.gc(0).expect("no error").is_empty());
    drop(lock);
    assert_eq!(room.store.gc(0).expect("no error").len(), 1);
}

#[test]
fn files_of_several_states_are_counted_once() {
    let room = Room::new();
    let base = room.want(&recipe("booted")).0;
    let build = |draft: &Draft| {
        base.link_into(draft.directory())?;
        Ok(Facts::default())
    };
    room.store.find_or_build(&recipe("with_nginx"), long(), build).expect("made");
    let list = room.store.list().expect("listed");
    let (all, one) = (list.iter().map(|entry| entry.bytes).sum::<u64>(), list[0].bytes);
    used(&base, 1);
    assert!(room.store.gc(all - one / 4).expect("no error").is_empty());
    assert_eq!(names(&room.store.gc(0).expect("no error")), ["booted", "with_nginx"]);
}

#[test]
fn leftovers_and_strangers() {
    let room = Room::new();
    let (root, digest) = (room.store.directory(), recipe("booted").digest());
    for left in [".new-1", ".new-2", ".old-1"] {
        std::fs::create_dir(root.join(format!("{digest}{left}"))).expect("made");
        std::fs::write(root.join(format!("{digest}{left}/memory")), "x").expect("written");
    }
    std::fs::write(root.join(format!("{digest}.old-2")), "x").expect("written");
    std::fs::write(root.join(format!("{digest}.lock")), "").expect("written");
    let strangers = ["notes", "\x1b[2J", "booted"];
    for name in strangers {
        std::fs::write(root.join(name), "mine").expect("written");
    }
    let removed = room.store.gc(0).expect("no error");
    assert_eq!(removed.len(), 4, "{removed:?}");
    assert!(removed.iter().all(|entry| entry.condition == Condition::Unfinished));
    assert!(room.leftovers().is_empty());
    assert!(strangers.iter().all(|name| root.join(name).exists()));
}

#[test]
fn making_linking_and_evicting_at_once() {
    let room = Room::new();
    let (next, is_over) = (AtomicU32::new(0), AtomicBool::new(false));
    let link = |name: &str| -> bool {
        let store = room.store.clone().with_limit(1);
        let build = |draft: &Draft| {
            leave(draft, &format!("{name} {}", next.fetch_add(1, Ordering::Relaxed)))?;
            Ok(Facts::default())
        };
        let found = store.find_or_build(&recipe(name), long(), build).expect("found or made");
        let number = next.fetch_add(1, Ordering::Relaxed);
        let scratch = room.scratch(&format!("vm{number}"));
        let linked = found.state.link_into(&scratch);
        let files = std::fs::read_dir(&scratch).expect("there").count();
        if let Err(error) = linked {
            assert_eq!(error.kind(), ErrorKind::StateGone, "{error}");
            assert_eq!(files, 0, "all or nothing");
            return false;
        }
        assert_eq!(files, 3);
        let read = |name: &str| std::fs::read_to_string(scratch.join(name)).expect("readable");
        let mark = read("devices").replace("devices ", "");
        assert!(mark.starts_with(name), "{mark}");
        assert_eq!(read("disk-data.0.qcow2"), format!("disk-data.0.qcow2 {mark}"));
        assert!(read("memory").contains(&format!("a kernel {mark}\0")), "all of one making");
        true
    };
    thread::scope(|scope| {
        let workers: Vec<_> = ["a", "a", "b", "c"]
            .map(|name| scope.spawn(move || (0..10).filter(|_| link(name)).count()))
            .into();
        let collector = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                room.store.gc(1).expect("no error");
                room.store.list().expect("no error");
            }
        });
        let linked: usize =
            workers.into_iter().map(|worker| worker.join().expect("no panic")).sum();
        is_over.store(true, Ordering::Relaxed);
        collector.join().expect("no panic");
        assert!(linked > 0);
    });
    room.store.gc(0).expect("no error");
    room.has_nothing();
}
