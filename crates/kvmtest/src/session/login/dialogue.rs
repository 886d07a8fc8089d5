//! The conversation of a login.

use std::sync::LazyLock;
use std::time::Duration;

use regex::bytes::Regex;

use super::rules::{Meaning, Place, meaning};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::session::command::{Framed, number};
use crate::session::last_line::{KERNEL_MESSAGE, LastLine, last_line};
use crate::session::params::LoginParams;
use crate::session::pump::Filled;
use crate::session::seconds;
use crate::session::shell::Session;

/// One login, from whatever state the other side is in to its prompt.
///
/// It answers the last line, and nothing else: what comes before it is history. On a console it
/// also knocks with empty lines, since a prompt that was printed before is not printed again;
/// where the prompt is known of, the shell is asked at once, which saves a round trip.
pub(super) struct Dialogue<'a> {
    session: &'a mut Session,
    params: &'a LoginParams,
    place: Place,
    stage: Stage,
    /// How often the user's name was sent.
    names: u32,
    /// How often nothing that was understood came of knocking.
    knocks: usize,
    /// How many knocks may stay without an answer before Ctrl-C is tried.
    patience: u32,
    /// Up to where the kernel was listened for.
    heard: u64,
    interrupts: usize,
    /// What was consumed, for errors.
    seen: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was sent that the other side would have to answer.
    Start,
    /// The user's name was sent.
    Named,
    /// The password was sent.
    Authenticated,
    /// What looked like a prompt was asked to prove it, by the mark with this number.
    Proving(u64),
}

/// What ends a program that somebody left running on a console, from the mildest on: Ctrl-C, the
/// end of its input, Ctrl-\.
const INTERRUPTS: [&[u8]; 3] = [b"\x03", b"\x04", b"\x1c"];
/// How long after a knock the next one may come; the last one is repeated.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];
/// The longest time without a knock, however much comes.
const LATEST: Duration = Duration::from_secs(15);
/// How many knocks a console may leave unanswered that carried messages of the kernel.
const PATIENCE_WITH_KERNEL: u32 = 4;
/// How often a name is given to a guest that keeps asking.
const NAMES: u32 = 5;
/// How much of what was read is kept: for a line to be completed, and for errors.
const KEPT: usize = 16 << 10;

impl<'a> Dialogue<'a> {
    pub(super) fn new(session: &'a mut Session, params: &'a LoginParams, place: Place) -> Self {
        Self {
            session,
            params,
            place,
            stage: Stage::Start,
            names: 0,
            knocks: 0,
            interrupts: 0,
            patience: 1,
            heard: 0,
            seen: Vec::new(),
        }
    }

    pub(super) fn run(mut self, deadline: Deadline) -> Result<()> {
        let given = deadline.remaining();
        self.converse(deadline, given).map_err(|error| self.in_login(error, given))
    }

    fn converse(&mut self, deadline: Deadline, given: Duration) -> Result<()> {
        if self.place == Place::Serial && !self.params.booting {
            if self.params.prompted && self.session.is_posix() {
                self.prove(deadline)?;
            } else {
                self.knock(deadline)?;
            }
        }
        let mut knock = Deadline::after(self.pause());
        let mut latest = Deadline::after(LATEST);
        loop {
            let stage = self.stage;
            if self.look(deadline)? {
                // After a proof the shell prompts again; where there is none, its prompt is read.
                return match self.stage {
                    Stage::Proving(_) => self.session.skip_prompt(deadline),
                    _ => Ok(()),
                };
            }
            if self.stage != stage {
                knock = Deadline::after(self.pause());
            }
            match self.session.expect.fill(deadline.earlier(knock))? {
                Filled::Data => {
                    // A boot is left alone while it has something to say.
                    if self.params.booting || self.listen() {
                        knock = Deadline::after(self.pause()).earlier(latest);
                    }
                    continue;
                }
                Filled::Ended => return Err(self.ended()),
                Filled::Late => {}
            }
            if deadline.expired() {
                let line = quoted(&last_line(&self.everything()));
                let said = if line == "``" {
                    "the other side was silent".to_owned()
                } else {
                    format!("the last line is {line}")
                };
                let message = format!("no login within {}: {said}", seconds(given));
                return Err(Error::new(ErrorKind::LoginTimeout, message));
            }
            self.wake(deadline)?;
            knock = Deadline::after(self.pause());
            latest = Deadline::after(LATEST);
        }
    }

    /// Acts on what was read; says whether the login is through.
    fn look(&mut self, deadline: Deadline) -> Result<bool> {
        if let Stage::Proving(wanted) = self.stage
            && self.proven(wanted)
        {
            return Ok(true);
        }
        let line = last_line(self.session.expect.unread());
        if let Some(meaning) = meaning(&line, self.place, false) {
            self.forget(0);
            self.answer(meaning, &line, deadline)?;
        } else if self.is_prompt(&line) && !matches!(self.stage, Stage::Proving(_)) {
            self.forget(0);
            return self.prove(deadline);
        } else {
            self.forget(KEPT);
        }
        Ok(false)
    }

    fn answer(&mut self, meaning: Meaning, line: &LastLine, deadline: Deadline) -> Result<()> {
        match meaning {
            Meaning::Confirm => self.say("yes", deadline),
            Meaning::Passphrase => Err(denied("the private key is locked by a passphrase")),
            Meaning::Username => self.answer_username(deadline),
            Meaning::Password => self.answer_password(deadline),
            Meaning::Denied => {
                // A console may still show what was answered to somebody else.
                if self.place == Place::Serial && self.stage != Stage::Authenticated {
                    return Ok(());
                }
                Err(denied(format!("the guest refused the login: {}", quoted(line))))
            }
            Meaning::NotYet if self.place == Place::Serial => {
                self.stage = Stage::Start;
                Ok(())
            }
            Meaning::NotYet | Meaning::Closed => {
                Err(Error::new(ErrorKind::LoginTerminated, quoted(line)))
            }
            Meaning::Hopeless => Err(Error::new(ErrorKind::Host, quoted(line))),
        }
    }

    fn answer_username(&mut self, deadline: Deadline) -> Result<()> {
        match self.stage {
            Stage::Authenticated => {
                let message = "the guest asked for the user name again: \
                               `username` or `password` is wrong";
                return Err(denied(message));
            }
            // The answer to an earlier knock, in most cases. Where it is not, silence follows.
            Stage::Named => return Ok(()),
            Stage::Start | Stage::Proving(_) => {}
        }
        let Some(username) = &self.params.username else {
            return Err(denied("the guest asks for a user name, and `username` is not set"));
        };
        if self.names == NAMES {
            return Err(denied(format!("the guest asked for the user name {NAMES} times")));
        }
        self.names += 1;
        self.stage = Stage::Named;
        self.say(username, deadline)
    }

    fn answer_password(&mut self, deadline: Deadline) -> Result<()> {
        if self.stage == Stage::Authenticated {
            let message = "the guest asked for the password again: \
                           `username` or `password` is wrong";
            return Err(denied(message));
        }
        if self.place == Place::Serial && self.stage != Stage::Named {
            // Whose password? Somebody left in the middle of a login: begin anew.
            self.stage = Stage::Start;
            return self.say("", deadline);
        }
        let Some(password) = &self.params.password else {
            return Err(denied("the guest asks for a password, and `password` is not set"));
        };
        self.stage = Stage::Authenticated;
        self.say(password, deadline)
    }

    /// A line that looks like a prompt may be the rim of a banner: a shell can tell.
    fn prove(&mut self, deadline: Deadline) -> Result<bool> {
        if !self.session.is_posix() {
            return Ok(true);
        }
        let Framed { number, lines } = self.session.marks().proof();
        self.stage = Stage::Proving(number);
        for line in lines {
            self.say(&line, deadline)?;
        }
        Ok(false)
    }

    fn proven(&mut self, wanted: u64) -> bool {
        let mark = self.session.marks().end();
        let text = self.session.expect.unread();
        let proof = mark.captures_iter(text).find(|captures| {
            let found = captures.get(1).and_then(|group| number(group.as_bytes()));
            found.and_then(|found| u64::try_from(found).ok()) == Some(wanted)
        });
        let Some(end) = proof.and_then(|captures| captures.get(0)).map(|whole| whole.end()) else {
            return false;
        };
        let rest = text.len() - end;
        self.session.expect.take_but(rest);
        true
    }

    /// Nothing that means anything came for a while.
    fn wake(&mut self, deadline: Deadline) -> Result<()> {
        if self.place == Place::Remote {
            return Ok(());
        }
        let may_interrupt = !self.params.booting && self.stage != Stage::Authenticated;
        if may_interrupt && self.patience == 0 {
            let interrupt = INTERRUPTS[self.interrupts % INTERRUPTS.len()];
            self.interrupts += 1;
            self.session.expect.send_by(interrupt, deadline)?;
        }
        self.patience = self.patience.saturating_sub(1);
        self.knocks += 1;
        self.stage = Stage::Start;
        self.knock(deadline)
    }

    /// Whether the kernel is heard in what came last: what is silent then may be booting.
    fn listen(&mut self) -> bool {
        static MESSAGE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(&format!("(?-u){KERNEL_MESSAGE}")).expect("a constant"));
        let position = self.session.expect.position();
        let fresh = usize::try_from(position - self.heard).unwrap_or(KEPT).min(KEPT);
        self.heard = position;
        let heard =
            self.place == Place::Serial && MESSAGE.is_match(self.session.expect.tail(fresh));
        if heard {
            self.patience = PATIENCE_WITH_KERNEL;
        }
        heard
    }

    /// The session ended: its last line may say why.
    fn ended(&mut self) -> Error {
        let line = last_line(&self.everything());
        if let Some(meaning) = meaning(&line, self.place, true)
            && meaning != Meaning::Closed
            && let Err(error) = self.answer(meaning, &line, Deadline::after(Duration::ZERO))
        {
            return error;
        }
        self.session.expect.terminated()
    }

    fn knock(&mut self, deadline: Deadline) -> Result<()> {
        self.say("", deadline)
    }

    fn pause(&self) -> Duration {
        match self.stage {
            // The check of a password takes its time, on purpose.
            Stage::Authenticated => Duration::from_secs(10),
            _ => PAUSES[self.knocks.min(PAUSES.len() - 1)],
        }
    }

    fn say(&mut self, line: &str, deadline: Deadline) -> Result<()> {
        self.session.expect.sendline_by(line.as_bytes(), deadline)
    }

    fn is_prompt(&self, line: &LastLine) -> bool {
        line.standing && self.session.prompt().is_match(&line.text)
    }

    /// Moves all that was read but its last `keep` bytes to what was seen.
    fn forget(&mut self, keep: usize) {
        let taken = self.session.expect.take_but(keep);
        self.seen.extend_from_slice(&taken);
        let excess = self.seen.len().saturating_sub(KEPT);
        self.seen.drain(..excess);
    }

    fn everything(&self) -> Vec<u8> {
        [&self.seen, self.session.expect.unread()].concat()
    }

    /// An error in the terms of a login, with everything that was said.
    fn in_login(&self, error: Error, given: Duration) -> Error {
        let (kind, message) = match error.kind() {
            ErrorKind::ExpectTimeout => {
                (ErrorKind::LoginTimeout, format!("no login within {}", seconds(given)))
            }
            ErrorKind::ExpectTerminated => {
                let line = quoted(&last_line(&self.everything()));
                let message = format!("the session ended before the login was through: {line}");
                (ErrorKind::LoginTerminated, message)
            }
            ErrorKind::LoginTimeout
            | ErrorKind::LoginTerminated
            | ErrorKind::LoginAuthentication => {
                let message = format!("{}: {}", self.session.name(), error.message());
                return Error::new(error.kind(), message).with_output(self.everything());
            }
            _ => return error,
        };
        Error::new(kind, message).with_output(self.everything()).caused_by(error)
    }
}

fn denied(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::LoginAuthentication, message)
}

fn quoted(line: &LastLine) -> String {
    format!("`{}`", String::from_utf8_lossy(&line.text).trim().escape_debug())
}
