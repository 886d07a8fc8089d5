//! A guest that is a thread: what it says and expects is a script.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use crate::session::{Expect, Session};

/// The guest's end of a console.
pub(super) struct Guest {
    stream: UnixStream,
    input: BufReader<UnixStream>,
}

/// A session whose other end follows `script` in a thread of its own.
pub(super) fn guest<F>(script: F) -> (Session, JoinHandle<()>)
where
    F: FnOnce(&mut Guest) + Send + 'static,
{
    let (ours, stream) = UnixStream::pair().expect("a pair");
    let session = Session::over(Expect::over_unix(ours, "fake", None).expect("no log to open"));
    let thread = std::thread::spawn(move || {
        let input = BufReader::new(stream.try_clone().expect("a descriptor"));
        script(&mut Guest { stream, input });
    });
    (session, thread)
}

impl Guest {
    /// Says `text`; that nobody listens any more shows when it listens itself.
    pub(super) fn say(&self, text: &str) {
        let _ = (&self.stream).write_all(text.as_bytes());
    }

    /// For what is no text.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// The next line; `None` when the session is closed.
    pub(super) fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.input.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// The next line that is not empty.
    pub(super) fn hear_words(&mut self) -> Option<String> {
        loop {
            let line = self.hear()?;
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// A login as `getty` and `login` hold it, for `root` with `password`.
    pub(super) fn login(&mut self, password: &str) {
        loop {
            self.say("\r\nhost login: ");
            let Some(name) = self.hear() else { return };
            self.say(&format!("{name}\r\n"));
            if name.is_empty() {
                continue;
            }
            self.say("Password: ");
            let Some(given) = self.hear() else { return };
            self.say("\r\n");
            if (name.as_str(), given.as_str()) == ("root", password) {
                return;
            }
            self.say("Login incorrect\r\n");
        }
    }

    /// A shell that knows the lines of a session's own making, and nothing else.
    pub(super) fn shell(&mut self) {
        loop {
            self.say("\x1b[6n~ # ");
            let Some(line) = self.hear() else { return };
            self.answer(&line);
        }
    }

    /// What that shell prints when `line` was typed.
    pub(super) fn answer(&self, line: &str) {
        self.say(&format!("{line}\r\n"));
        for statement in line.split("; ") {
            let words: Vec<_> = statement.split(' ').collect();
            match &words[..] {
                ["printf", "'%s<\\n'", mark] => self.say(&format!("{mark}<\r\n")),
                ["printf", "'%s=%s;\\n'", mark, "$?"] => self.say(&format!("{mark}=0;\r\n")),
                ["command", "eval", ..] => self.say("done\r\n"),
                [""] => {}
                _ => self.say(&format!("sh: {statement}: not found\r\n")),
            }
        }
    }
}
