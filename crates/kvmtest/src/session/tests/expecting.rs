//! Matching, watches, and the ends of things.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use proptest::prelude::*;

use super::{LONG, SHORT, pair, say};
use crate::error::{Error, ErrorKind, Result};
use crate::session::{OVERLAP, Session, Watch};

/// Ends a wait as soon as its socket can be read.
struct Alarm(UnixStream);

impl Watch for Alarm {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::VmDead, "QEMU is gone"))
    }
}

/// A watch that takes note and lets go on.
struct Counter(UnixStream, std::sync::mpsc::Sender<()>);

impl Watch for Counter {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        use std::io::Read;
        self.0.read_exact(&mut [0])?;
        let _ = self.1.send(());
        Ok(())
    }
}

#[test]
fn a_session_may_be_sent_to_another_thread() {
    fn check<T: Send>() {}
    check::<Session>();
}

#[test]
fn the_match_that_ends_first_counts_and_the_rest_stays() {
    let (mut session, guest) = pair();
    say(&guest, "one two three four");
    let found =
        session.read_until_output_matches(&["three", "t(w)o(x)?", "two"], LONG).expect("there");
    assert_eq!((found.index, found.before_text().as_ref()), (1, "one "));
    assert_eq!((found.group(0).as_ref(), found.groups[1].as_ref()), ("w", None));
    assert_eq!(found.output(), "one two");
    let found = session.read_until_output_matches(&["four"], LONG).expect("there");
    assert_eq!(found.before_text(), " three ");
}

#[test]
fn a_pattern_may_be_split_over_reads() {
    let (mut session, guest) = pair();
    let thread = std::thread::spawn(move || {
        for byte in b"boot\r\nhost lo\x1b[1mgin: " {
            say(&guest, [*byte]);
            std::thread::yield_now();
        }
        guest
    });
    let found = session.read_until_output_matches(&["host login: "], LONG).expect("there");
    assert_eq!(found.before, b"boot\n");
    thread.join().expect("no panic");
}

#[test]
fn bytes_need_not_be_utf8() {
    let (mut session, guest) = pair();
    say(&guest, b"\xff\xfe caf\xc3\xa9 \x80end");
    let found = session.read_until_output_matches(&[r"\xffn", "é ."], SHORT).err();
    // A pattern beyond ASCII is about characters, and `\x80` is none.
    assert_eq!(found.expect("no match").kind(), ErrorKind::ExpectTimeout);
    let found = session.read_until_output_matches(&[r"caf.. .end"], LONG).expect("there");
    assert_eq!(found.before, b"\xff\xfe ");
}

#[test]
fn a_timeout_tells_what_was_seen_and_loses_nothing() {
    let (mut session, guest) = pair();
    say(&guest, "Loading\r\n");
    let error = session.read_until_output_matches(&["login:", "x+"], SHORT).expect_err("late");
    assert_eq!(error.kind(), ErrorKind::ExpectTimeout);
    assert_eq!(error.output(), Some(&b"Loading\n"[..]));
    assert_eq!(error.to_string(), "fake: `login:`, `x+` did not come within 0.0 s");
    session.read_until_output_matches(&["Loading"], SHORT).expect("still there");
}

#[test]
fn a_wrong_pattern_is_named() {
    let (mut session, _guest) = pair();
    let error = session.read_until_output_matches(&["("], LONG).expect_err("no pattern");
    assert!(error.to_string().starts_with("the pattern `(` is no regular expression"), "{error}");
}

#[test]
fn an_end_is_told_with_what_came_before_it() {
    let (mut session, guest) = pair();
    say(&guest, "last words");
    drop(guest);
    let error = session.read_until_output_matches(&["never"], LONG).expect_err("the end");
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated);
    assert_eq!(error.output(), Some(&b"last words"[..]));
    assert!(session.is_ended());
    session.read_until_output_matches(&["last words"], LONG).expect("may be read after the end");
    let error = session.send("x").expect_err("nobody there");
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated);
}

#[test]
fn a_closed_session_says_so() {
    let (mut session, _guest) = pair();
    session.close();
    let error = session.sendline("x").expect_err("closed");
    assert_eq!(error.to_string(), "fake: the session is closed");
    let error = session.read_nonblocking(SHORT, LONG).expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::ExpectTerminated);
}

#[test]
fn a_watch_ends_a_wait_at_once_and_adds_the_output() {
    let (mut session, guest) = pair();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    session.add_watch(Box::new(Alarm(theirs)));
    say(&guest, "half a line");
    session.read_until_output_matches(&["half"], LONG).expect("there");
    say(&ours, "x");
    let begin = Instant::now();
    let error = session.read_until_output_matches(&["never"], LONG).expect_err("the watch");
    assert!(begin.elapsed() < LONG / 2);
    assert_eq!(error.kind(), ErrorKind::VmDead);
    assert_eq!(error.output(), Some(&b" a line"[..]));
}

#[test]
fn what_matches_is_handed_out_before_a_watch_is_heard() {
    let (mut session, guest) = pair();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    session.add_watch(Box::new(Alarm(theirs)));
    say(&ours, "x");
    say(&guest, "login: ");
    session.read_until_output_matches(&["login: "], LONG).expect("came with the alarm");
    let error = session.read_until_output_matches(&["never"], LONG).expect_err("the watch");
    assert_eq!(error.kind(), ErrorKind::VmDead);
}

#[test]
fn a_watch_that_is_content_ends_nothing() {
    let (mut session, guest) = pair();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    let (sender, receiver) = std::sync::mpsc::channel();
    session.add_watch(Box::new(Counter(theirs, sender)));
    say(&ours, "xx");
    let thread = std::thread::spawn(move || {
        for _ in 0..2 {
            receiver.recv_timeout(LONG).expect("checked");
        }
        say(&guest, "done");
        guest
    });
    session.read_until_output_matches(&["done"], LONG).expect("there");
    thread.join().expect("no panic");
}

#[test]
fn a_watch_has_the_last_word_on_an_end() {
    let (mut session, guest) = pair();
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    session.add_watch(Box::new(Alarm(theirs)));
    // The console ends first; the process table tells a moment later.
    drop(guest);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(SHORT / 6);
        say(&ours, "x");
        ours
    });
    let error = session.read_until_output_matches(&["never"], LONG).expect_err("the end");
    assert_eq!(error.kind(), ErrorKind::VmDead);
    thread.join().expect("no panic");
}

#[test]
fn the_last_line_counts_only_when_it_is_the_last() {
    let (mut session, guest) = pair();
    say(&guest, "login: \nbooting\n");
    session.read_until_last_line_matches(&["login: $"], SHORT).expect_err("it was, once");
    say(&guest, "host login: \n\n");
    let found = session.read_until_last_line_matches(&["x", "login: $"], LONG).expect("there");
    assert_eq!((found.index, found.before_text().as_ref()), (1, "login: \nbooting\n"));
    assert_eq!(session.read_nonblocking(SHORT, LONG).expect("open"), b"", "all is consumed");
}

#[test]
fn reading_until_silence() {
    let (mut session, guest) = pair();
    assert_eq!(session.read_nonblocking(SHORT, LONG).expect("open"), b"");
    say(&guest, "a\r\nb");
    assert_eq!(session.read_nonblocking(SHORT, LONG).expect("open"), b"a\nb");
    say(&guest, "c");
    drop(guest);
    assert_eq!(session.read_nonblocking(SHORT, LONG).expect("something came"), b"c");
    session.read_nonblocking(SHORT, LONG).expect_err("ended, and nothing came");
}

/// What a pattern of fixed length finds in a whole text: index, start and end of the match that
/// ends first.
fn whole(patterns: &[String], text: &str) -> Option<(usize, usize, usize)> {
    let ends = patterns.iter().enumerate().filter_map(|(index, pattern)| {
        let regex = regex::Regex::new(pattern).expect("valid");
        regex.find(text).map(|found| (index, found.start(), found.end()))
    });
    ends.min_by_key(|(_, _, end)| *end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn matching_piece_by_piece_is_matching_the_whole(
        patterns in prop::collection::vec("[ab.]{1,4}", 1..4),
        text in "[abc]{0,60}",
        cuts in prop::collection::vec(0usize..60, 0..6),
        far in prop::bool::ANY,
    ) {
        // Far: everything happens behind more than what is searched twice.
        let front = if far { "z\n".repeat(OVERLAP) } else { String::new() };
        let patterns: Vec<_> = patterns.iter().map(|p| p.replace('.', "[abc]")).collect();
        let expected = whole(&patterns, &text);
        let (mut session, guest) = pair();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        say(&guest, &front);
        let mut found = None;
        for piece in cuts.windows(2) {
            say(&guest, &text[piece[0]..piece[1]]);
            // A look after each piece: what was read stays when nothing matches.
            match session.read_until_output_matches(&patterns, std::time::Duration::ZERO) {
                Ok(it) => {
                    let start = it.before.len() - front.len();
                    found = Some((it.index, start, start + it.matched.len()));
                    break;
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::ExpectTimeout),
            }
        }
        prop_assert_eq!(found, expected);
    }
}
