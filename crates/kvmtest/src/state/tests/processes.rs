use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use super::*;

const STORE: &str = "KVMTEST_STORE_OF_A_TEST";

/// Another process that makes the state `booted`: it says so when it has begun, and goes on when
/// it is told to.
struct Other {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Other {
    fn start(room: &Room) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "state::tests::processes::another_process", "--ignored"])
            .arg("--nocapture")
            .env(STORE, room.store.directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdin, stdout }
    }

    /// Waits until it says `word`.
    #[track_caller]
    fn says(&mut self, word: &str) {
        let mut heard = String::new();
        while !heard.contains(word) {
            let mut line = String::new();
            let count = self.stdout.read_line(&mut line).expect("read");
            assert!(count > 0, "it ended without saying {word}: {heard}");
            heard += &line;
        }
    }

    fn goes_on(&mut self) {
        self.stdin.take().expect("it was not told before").write_all(b"go on\n").expect("it reads");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // One that has ended takes no signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "a part of other tests, which run it in a process of its own"]
#[expect(clippy::print_stdout, reason = "whoever started it reads that")]
fn another_process() {
    let root = std::env::var(STORE).expect("whoever starts it says where");
    let store = Store::at(Utf8Path::new(&root)).expect("opened");
    let found = store.find_or_build(&recipe("booted"), long(), |draft| {
        leave(draft, "by another process")?;
        println!("building");
        std::io::stdin().read_to_string(&mut String::new())?;
        Ok(Facts::default())
    });
    println!("{}", if found.expect("made or found").built.is_some() { "made" } else { "found" });
}

#[test]
fn of_two_processes_one_makes_it_and_the_other_gets_it() {
    let room = Room::new();
    let mut first = Other::start(&room);
    first.says("building");
    let mut second = Other::start(&room);
    let here = thread::scope(|scope| {
        let here = scope.spawn(|| room.want(&recipe("booted")));
        first.goes_on();
        first.says("made");
        here.join().expect("no panic")
    });
    second.says("found");
    let (state, built) = here;
    assert!(!built);
    let devices = std::fs::read_to_string(state.directory().join("devices")).expect("there");
    assert_eq!(devices, "devices by another process");
    assert!(room.leftovers().is_empty());
}

#[test]
fn a_process_that_is_killed_while_it_makes_one_and_another_waits() {
    let room = Room::new();
    let mut other = Other::start(&room);
    other.says("building");
    let left = room.leftovers();
    assert_eq!(left.len(), 2, "a draft and a lock: {left:?}");
    let (state, built) = thread::scope(|scope| {
        let here = scope.spawn(|| room.want(&recipe("booted")));
        other.child.kill().expect("it lives");
        here.join().expect("no panic")
    });
    assert!(built);
    let devices = std::fs::read_to_string(state.directory().join("devices")).expect("there");
    assert_eq!(devices, "devices ", "nothing of the killed one's is in it");
    assert!(room.leftovers().is_empty());
}

#[test]
fn what_a_killed_process_left_goes_and_what_a_living_one_makes_stays() {
    let room = Room::new();
    let mut other = Other::start(&room);
    other.says("building");
    assert!(room.store.gc(0).expect("no error").is_empty());
    assert_eq!(room.leftovers().len(), 2);
    drop(other);
    let removed = room.store.gc(u64::MAX).expect("no error");
    let [entry] = &removed[..] else { panic!("{removed:?}") };
    assert_eq!(entry.condition, Condition::Unfinished);
    assert_eq!(entry.digest, recipe("booted").digest());
    assert!(entry.bytes > 0);
    room.has_nothing();
}
