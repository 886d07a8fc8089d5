//! More than anybody wants to read.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::{LONG, SHORT, pair, say, sh};
use crate::error::ErrorKind;
use crate::session::Expect;

const MIB: usize = 1 << 20;

/// Says `piece` again and again until `total` bytes are said, then `last`.
fn flood(
    guest: UnixStream,
    piece: &str,
    total: usize,
    last: &'static str,
) -> std::thread::JoinHandle<()> {
    let block = piece.repeat(MIB / piece.len() + 1);
    std::thread::spawn(move || {
        for _ in 0..total / block.len() {
            say(&guest, &block);
        }
        say(&guest, last);
    })
}

#[test]
fn a_pattern_at_the_end_of_a_flood_is_found_in_bounded_memory() {
    for piece in
        ["[   12.345678] usb 1-1: new device\r\n", "no end of line ", "\x1b[31mred\x1b[m\r\n"]
    {
        let (mut session, guest) = pair();
        session.set_buffer_limit(MIB);
        let thread = flood(guest, piece, 200 * MIB / SLOWNESS, "host login: ");
        let found = session.read_until_output_matches(&["login: $", "panic"], LONG).expect("there");
        assert_eq!(found.index, 0);
        assert!(found.before.len() <= 2 * MIB, "{}", found.before.len());
        assert!(found.dropped > (MIB + found.before.len()) as u64, "{}", found.dropped);
        thread.join().expect("no panic");
    }
}

/// Without optimisation, everything is that much slower.
const SLOWNESS: usize = if cfg!(debug_assertions) { 8 } else { 1 };

#[test]
fn a_prompt_behind_a_flood_is_found() {
    let (mut session, guest) = pair();
    session.set_buffer_limit(MIB);
    let thread = flood(guest, "# \n$ \nfoo # bar\n", 64 * MIB / SLOWNESS, "~ # ");
    let found = session.read_until_last_line_matches(&["^~ # $"], LONG).expect("there");
    assert_eq!(found.matched, b"~ # ");
    thread.join().expect("no panic");
}

#[test]
fn reading_until_silence_ends_though_there_is_none() {
    let (mut session, guest) = pair();
    session.set_buffer_limit(MIB);
    let thread = std::thread::spawn(move || {
        use std::io::Write;
        while (&guest).write_all(&[b'y'; 4096]).is_ok() {}
    });
    session.read_until_output_matches(&["y"], LONG).expect("it has begun");
    let read = session.read_nonblocking(SHORT, Duration::from_millis(100)).expect("open");
    assert!(!read.is_empty());
    let error = session.read_until_output_matches(&["x"], SHORT).expect_err("only y");
    assert_eq!(error.kind(), ErrorKind::ExpectTimeout);
    assert!(error.output().is_some_and(|output| output.len() <= 64 << 10));
    drop(session);
    thread.join().expect("no panic");
}

#[test]
fn the_log_has_every_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = Utf8PathBuf::try_from(dir.path().join("session.log")).expect("UTF-8");
    let (ours, guest) = UnixStream::pair().expect("a pair");
    let mut session = Expect::over_unix(ours, "fake", Some(&log)).expect("opened");
    session.set_buffer_limit(0);
    let thread = flood(guest, "\x1b[1m\u{1f600}\r\n", 2 * MIB, "end");
    session.read_until_output_matches(&["end"], LONG).expect("there");
    thread.join().expect("no panic");
    let content = std::fs::read(&log).expect("read");
    assert!(content.len() >= MIB && content.starts_with("\x1b[1m\u{1f600}\r\n".as_bytes()));
    assert!(content.ends_with(b"end"));
}

#[test]
fn sending_much_to_somebody_who_talks_much_does_not_get_stuck() {
    let (mut session, guest) = pair();
    let thread = std::thread::spawn(move || {
        use std::io::Read;
        // Talks before it listens: both directions are full for a while.
        say(&guest, vec![b'y'; 4 * MIB]);
        let mut heard = vec![0; 4 * MIB];
        (&guest).read_exact(&mut heard).expect("all of it");
        say(&guest, "thanks");
    });
    session.send(vec![b'x'; 4 * MIB]).expect("taken in the end");
    session.read_until_output_matches(&["thanks"], LONG).expect("there");
    thread.join().expect("no panic");
}

#[test]
fn a_command_that_prints_much() {
    let mut session = sh();
    session.expect().set_buffer_limit(MIB);
    let line = "a line that is printed again and again # $ ";
    let count = 20 * MIB / SLOWNESS / line.len();
    let command = format!("yes '{line}' | head -n {count}; (exit 7)");
    let (status, output) = session.cmd_status_output(&command).expect("ended");
    assert_eq!(status, 7);
    assert!(output.len() >= MIB / 2 && output.len() <= 2 * MIB, "{}", output.len());
    assert!(output.ends_with(line));
    assert_eq!(session.cmd("echo still here").expect("alive"), "still here");
}
