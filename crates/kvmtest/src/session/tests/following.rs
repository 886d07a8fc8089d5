//! Conversations whose other side moves.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{Follow, Watch};

/// Goes where it is told, from one place to the next.
struct Way {
    next: Arc<Mutex<Vec<UnixStream>>>,
    /// Whether it is known, before anything ends, that there is a next place.
    is_known: Arc<AtomicBool>,
}

impl Follow for Way {
    fn has_moved(&self) -> bool {
        self.is_known.load(Ordering::Relaxed) && !self.next.lock().expect("whole").is_empty()
    }

    fn follow(&mut self, _: Deadline) -> Result<Option<Expect>> {
        let mut next = self.next.lock().expect("whole");
        if next.is_empty() {
            return Ok(None);
        }
        Expect::over_unix(next.remove(0), "next", None).map(Some)
    }
}

/// Begins anew in one other place, once what was there has ended.
struct Elsewhere {
    is_over: Arc<AtomicBool>,
    next: Option<UnixStream>,
}

impl Follow for Elsewhere {
    fn has_moved(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn begin_anew(&mut self, _: Deadline) -> Result<Option<Expect>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let mut next = Expect::over_unix(next, "next", None)?;
        let nowhere = Self { is_over: Arc::default(), next: None };
        next.set_follow(Box::new(nowhere));
        Ok(Some(next))
    }
}

/// A session whose other side has ended and is elsewhere; the new other end.
fn begun_anew() -> (Session, UnixStream) {
    let (mut expect, first) = pair();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let is_over = Arc::new(AtomicBool::new(true));
    expect.set_follow(Box::new(Elsewhere { is_over, next: Some(ours) }));
    say(&first, "what nobody read");
    drop(first);
    (Session::over(expect), theirs)
}

/// Ends the wait when its socket does, a moment after the connection, as a process does.
struct Death {
    process: UnixStream,
}

impl Watch for Death {
    fn fd(&self) -> BorrowedFd<'_> {
        self.process.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::VmDead, "this connection does not go on"))
    }
}

/// A conversation with `count` places still to come; the other ends of all, and whether it is
/// known that there are any.
fn moving(count: usize) -> (Expect, Vec<UnixStream>, Arc<AtomicBool>) {
    let (mut expect, first) = pair();
    let (mut ends, mut next) = (vec![first], Vec::new());
    for _ in 0..count {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        next.push(ours);
        ends.push(theirs);
    }
    let is_known = Arc::new(AtomicBool::new(false));
    let way = Way { next: Arc::new(Mutex::new(next)), is_known: Arc::clone(&is_known) };
    expect.set_follow(Box::new(way));
    (expect, ends, is_known)
}

#[test]
fn a_connection_that_ends_before_its_process_goes_on_all_the_same() {
    let (mut expect, mut ends, _) = moving(1);
    let (process, lives) = UnixStream::pair().expect("a pair");
    expect.add_watch(Box::new(Death { process }));
    say(&ends[0], "the beginning ");
    ends.remove(0);
    say(&ends[0], "and the end");
    let said = expect.read_until_output_matches(&["and the end"], LONG).expect("it goes on");
    assert_eq!(said.before, b"the beginning ");
    drop(lives);
}

#[test]
fn what_was_said_at_each_place_is_read_in_turn() {
    let (mut expect, ends, is_known) = moving(3);
    for (number, end) in ends.iter().enumerate() {
        say(end, format!("{number} "));
    }
    is_known.store(true, Ordering::Relaxed);
    expect.sendline("where").expect("sent");
    let mut heard = [0; 6];
    std::io::Read::read_exact(&mut &ends[3], &mut heard).expect("at the last place alone");
    assert_eq!(&heard, b"where\n");
    let said = expect.read_until_output_matches(&["3 "], LONG).expect("said");
    assert_eq!(said.before, b"0 1 2 ");
    drop(ends);
    let error = expect.read_until_output_matches(&["4"], LONG).expect_err("there is no more");
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated);
}

#[test]
fn a_side_that_is_dead_and_nowhere_else_is_dead() {
    let (mut expect, ends, is_known) = moving(0);
    is_known.store(true, Ordering::Relaxed);
    let (process, lives) = UnixStream::pair().expect("a pair");
    expect.add_watch(Box::new(Death { process }));
    drop(lives);
    drop(ends);
    let error = expect.read_until_output_matches(&["x"], LONG).expect_err("it is dead");
    assert_eq!(error.kind(), ErrorKind::VmDead);
}

#[test]
fn what_begins_anew_has_nothing_of_before() {
    let (mut session, end) = begun_anew();
    session.sendline("hello").expect("sent");
    say(&end, "from there");
    let said = session.read_until_output_matches(&["there"], LONG).expect("said");
    assert_eq!(said.before, b"from ");
    // It knows itself where it goes on: nowhere.
    drop(end);
    let error = session.read_until_output_matches(&["x"], LONG).expect_err("it is over");
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated);
}

#[test]
fn a_foreign_shell_begins_anew_before_it_is_read_from() {
    let (mut session, end) = begun_anew();
    session.set_status_test_command("echo %errorlevel%");
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&end, "hello\nand more\n# "));
        assert_eq!(session.cmd_output("hello").expect("run"), "and more");
    });
}

#[test]
fn whether_it_answers_is_asked_where_it_is() {
    let (mut session, end) = begun_anew();
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&end, "# "));
        assert!(session.is_responsive(LONG));
    });
}

/// Answers the first line.
fn answer(end: &UnixStream, text: &str) {
    let mut heard = [0];
    while heard != *b"\n" {
        std::io::Read::read_exact(&mut &*end, &mut heard).expect("somebody talks");
    }
    say(end, text);
}
