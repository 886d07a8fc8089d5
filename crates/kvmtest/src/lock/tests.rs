use std::sync::mpsc::channel;
use std::thread;

use super::*;
use crate::interrupt::Interrupt;

struct Room {
    _keep: tempfile::TempDir,
    path: Utf8PathBuf,
}

fn room() -> Room {
    let keep = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8").join("x.lock");
    Room { _keep: keep, path }
}

fn long() -> Deadline {
    Deadline::after(Duration::from_secs(600))
}

#[test]
fn a_lock_is_one_at_a_time_and_leaves_no_file() {
    let room = room();
    let first = Lock::try_take(&room.path).expect("no error").expect("free");
    assert!(Lock::try_take(&room.path).expect("no error").is_none());
    drop(first);
    assert!(!room.path.exists());
    let second = Lock::wait(&room.path, long()).expect("no error");
    assert!(second.is_some());
}

#[test]
fn many_that_wait_get_it_one_after_another() {
    let room = room();
    let (mut inside, mut total) = (0, 0);
    let counts = std::sync::Mutex::new((&mut inside, &mut total));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let lock = Lock::wait(&room.path, long()).expect("no error").expect("in time");
                    *counts.lock().expect("whole").0 += 1;
                    thread::yield_now();
                    let mut counts = counts.lock().expect("whole");
                    assert_eq!(*counts.0, 1, "nobody else has it");
                    *counts.0 -= 1;
                    *counts.1 += 1;
                    drop(counts);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(total, 200);
    assert!(!room.path.exists());
}

#[test]
fn one_that_waits_gives_up_at_its_deadline() {
    let room = room();
    let held = Lock::try_take(&room.path).expect("no error").expect("free");
    for milliseconds in [0, 1, 20] {
        let soon = Deadline::after(Duration::from_millis(milliseconds));
        assert!(Lock::wait(&room.path, soon).expect("no error").is_none());
    }
    assert!(room.path.exists(), "it is not theirs to remove");
    drop(held);
    assert!(Lock::wait(&room.path, Deadline::after(Duration::ZERO)).expect("no error").is_some());
}

#[test]
fn one_that_waits_can_be_interrupted() {
    let room = room();
    let _held = Lock::try_take(&room.path).expect("no error").expect("free");
    let interrupt = Interrupt::new();
    let (sender, waits) = channel();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            interrupt.enter();
            sender.send(()).expect("somebody listens");
            Lock::wait(&room.path, long()).expect_err("interrupted").kind()
        });
        waits.recv().expect("it waits");
        interrupt.request();
        assert_eq!(waiter.join().expect("no panic"), ErrorKind::Interrupted);
    });
}

#[test]
fn a_lock_whose_holder_only_closes_it_is_noticed() {
    let room = room();
    let file = open(&room.path).expect("opened");
    assert!(try_lock(&file, &room.path).expect("no error"));
    let (sender, waits) = channel();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            sender.send(()).expect("somebody listens");
            Lock::wait(&room.path, long()).expect("no error").is_some()
        });
        waits.recv().expect("it is about to wait");
        // What the kernel does for a process that was killed.
        drop(file);
        assert!(waiter.join().expect("no panic"));
    });
}

#[test]
fn a_lock_that_cannot_be() {
    let room = room();
    std::fs::create_dir(&room.path).expect("made");
    let error = Lock::wait(&room.path, long()).expect_err("a directory");
    assert!(error.to_string().contains(room.path.as_str()), "{error}");
}
