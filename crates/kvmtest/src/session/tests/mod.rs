//! Sessions against fake guests and real shells.

mod commands;
mod expecting;
mod floods;
mod following;
mod guest;
mod logins;
mod processes;
mod ssh;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Expect, Session};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);
/// For what must not come.
const SHORT: Duration = Duration::from_millis(30);

/// A conversation, and the other end of it.
fn pair() -> (Expect, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    (Expect::over_unix(ours, "fake", None).expect("no log to open"), theirs)
}

/// Writes all of `text` as the guest.
fn say(mut guest: &UnixStream, text: impl AsRef<[u8]>) {
    guest.write_all(text.as_ref()).expect("somebody reads");
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A shell on a terminal of its own; `None`, with a sentence, where it is not installed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn shell(words: &[&str]) -> Option<Session> {
    match Session::spawn(&argv(words), words[0], None) {
        Ok(session) => Some(session),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// A `sh` that has shown its prompt.
fn sh() -> Session {
    let mut session = shell(&["sh", "-i"]).expect("every system has one");
    session.read_up_to_prompt_timeout(LONG).expect("a prompt");
    session
}
