use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::interrupt::Interrupt;

#[test]
fn of_two_threads_one_makes_it_and_the_other_gets_it() {
    let room = Room::new();
    let (begun, wait_begun) = channel();
    let (go_on, wait_go_on) = channel::<()>();
    thread::scope(|scope| {
        let store = &room.store;
        let first = scope.spawn(move || {
            let build = |draft: &Draft| {
                begun.send(()).expect("somebody listens");
                wait_go_on.recv().expect("told");
                fill(draft)
            };
            store.find_or_build(&recipe("booted"), long(), build).expect("made").built.is_some()
        });
        wait_begun.recv().expect("it is being made");
        let nobody = |_: &Draft| panic!("it is being made by somebody else");
        for milliseconds in [0, 20] {
            let soon = Deadline::after(Duration::from_millis(milliseconds));
            let error = store.find_or_build(&recipe("booted"), soon, nobody).expect_err("late");
            assert_eq!(error.kind(), ErrorKind::State);
            let text = error.to_string();
            assert!(text.contains("`booted` was not made in time"), "{text}");
        }
        let interrupt = Interrupt::new();
        thread::scope(|scope| {
            let interrupted = scope.spawn(|| {
                interrupt.enter();
                store.find_or_build(&recipe("booted"), long(), nobody).expect_err("interrupted")
            });
            interrupt.request();
            assert_eq!(interrupted.join().expect("no panic").kind(), ErrorKind::Interrupted);
        });
        assert!(store.find(&recipe("booted")).expect("no error").is_none(), "it does not wait");
        let others: Vec<_> = (0..3)
            .map(|_| scope.spawn(move || store.find_or_build(&recipe("booted"), long(), nobody)))
            .collect();
        go_on.send(()).expect("it waits");
        assert!(first.join().expect("no panic"));
        for other in others {
            assert!(other.join().expect("no panic").expect("found").built.is_none());
        }
    });
    assert!(room.leftovers().is_empty());
}

#[test]
fn if_the_first_fails_one_of_the_others_makes_it() {
    let room = Room::new();
    let (begun, wait_begun) = channel();
    let (go_on, wait_go_on) = channel::<()>();
    thread::scope(|scope| {
        let store = &room.store;
        let first = scope.spawn(move || {
            let build = |_: &Draft| {
                begun.send(()).expect("somebody listens");
                wait_go_on.recv().expect("told");
                Err(crate::error::Error::new(ErrorKind::VmDead, "QEMU is gone"))
            };
            store.find_or_build(&recipe("booted"), long(), build).expect_err("it fails").kind()
        });
        wait_begun.recv().expect("it is being made");
        let others: Vec<_> = (0..3)
            .map(|_| scope.spawn(move || store.find_or_build(&recipe("booted"), long(), fill)))
            .collect();
        go_on.send(()).expect("it waits");
        assert_eq!(first.join().expect("no panic"), ErrorKind::VmDead);
        let made = others.into_iter().map(|other| other.join().expect("no panic").expect("found"));
        assert_eq!(made.filter(|found| found.built.is_some()).count(), 1);
    });
    assert!(room.leftovers().is_empty());
}
