//! How bytes get from a channel into the buffer and back, and what ends the waiting for them.

use std::time::Duration;

use rustix::event::PollFlags;

use super::channel::{Channel, Read};
use super::expect::Expect;
use super::seconds;
use super::watch;
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::wait;

/// What came of waiting for data.
pub(super) enum Filled {
    /// There is more than before.
    Data,
    /// The deadline passed.
    Late,
    /// The other side is gone.
    Ended,
}

/// How much of the output an error carries.
const ERROR_OUTPUT: usize = 64 << 10;
/// How much is read before looking whether it matches.
const DRAIN: usize = 256 << 10;
/// How long watches get to give a better reason for the end of a channel: the monitor and the
/// process table need not tell in the same moment as the console.
const LAST_WORD: Duration = Duration::from_millis(200);

impl Expect {
    pub(super) fn send_by(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<()> {
        let given = deadline.remaining();
        self.look_where_to(deadline)?;
        for watch in &mut self.watches {
            watch.sent(bytes);
        }
        while !bytes.is_empty() {
            let entered = self.enter(deadline)?;
            if entered.is_some() {
                self.look_where_to(deadline)?;
            }
            let written = match &entered {
                Some(_) => self.channel.write(bytes).with_context(|| self.doing("sending"))?,
                None => Some(0),
            };
            drop(entered);
            let Some(written) = written else {
                if self.goes_on(deadline)? {
                    continue;
                }
                return Err(self.end_of_channel());
            };
            bytes = &bytes[written..];
            if bytes.is_empty() || written > 0 {
                continue;
            }
            // Read as well: the other side may be stuck until we take what it has to say.
            if matches!(self.poll(deadline, PollFlags::IN | PollFlags::OUT)?, Filled::Ended)
                && !self.goes_on(deadline)?
            {
                return Err(self.end_of_channel());
            }
            if deadline.expired() {
                let message = format!(
                    "{}: the other side takes no input: {} bytes were left after {}",
                    self.name,
                    bytes.len(),
                    seconds(given)
                );
                return Err(self.with_output(Error::new(ErrorKind::ExpectTimeout, message)));
            }
        }
        Ok(())
    }

    pub(super) fn sendline_by(&mut self, line: &[u8], deadline: Deadline) -> Result<()> {
        let line = [line, &self.linesep].concat();
        self.send_by(&line, deadline)
    }

    /// Waits for more; watches are looked at, too. What came before a watch had something to say
    /// is handed out before its error is.
    pub(super) fn fill(&mut self, deadline: Deadline) -> Result<Filled> {
        if self.ended.is_some() && !self.goes_on(deadline)? {
            return match self.last_word() {
                Some(error) => Err(error),
                None => Ok(Filled::Ended),
            };
        }
        loop {
            match self.poll(deadline, PollFlags::IN)? {
                Filled::Late if !deadline.expired() => {}
                Filled::Ended => return self.fill(deadline),
                filled => return Ok(filled),
            }
        }
    }

    /// The error for a deadline that passed while waiting for `what`.
    pub(super) fn late(&self, what: &str, given: Duration) -> Error {
        let message = format!("{}: {what} did not come within {}", self.name, seconds(given));
        self.with_output(Error::new(ErrorKind::ExpectTimeout, message))
    }

    /// The error for the end of the channel.
    pub(super) fn terminated(&self) -> Error {
        let why = self.ended.as_deref().unwrap_or("the session ended");
        let message = format!("{}: {why}", self.name);
        self.with_output(Error::new(ErrorKind::ExpectTerminated, message))
    }

    /// Polls once, for `flags` of the channel and for the watches, and drains what is there.
    /// `Late` says only that nothing came.
    fn poll(&mut self, deadline: Deadline, flags: PollFlags) -> Result<Filled> {
        if let Some(error) = self.verdict.take() {
            return Err(self.with_output(error));
        }
        if self.enter_output(deadline)?.is_none() {
            return Ok(Filled::Late);
        }
        let mut wanted = self.channel.wanted(flags);
        let channels = wanted.len();
        wanted.extend(watch::wanted(&self.watches));
        let ready = wait::ready_flags(&wanted, deadline)?;
        let filled = if ready[..channels].iter().any(|flags| !flags.is_empty()) {
            match self.enter_output(deadline)? {
                Some(_entered) => self.drain()?,
                None => Filled::Late,
            }
        } else {
            Filled::Late
        };
        if let Err(error) = watch::check(&mut self.watches, &ready[channels..]) {
            let has_moved = self.follow.as_ref().is_some_and(|follow| follow.has_moved());
            if has_moved && self.goes_on(deadline)? {
                return Ok(Filled::Data);
            }
            if !matches!(filled, Filled::Data) {
                return Err(self.with_output(error));
            }
            self.verdict = Some(error);
        }
        Ok(filled)
    }

    /// Reads what is there, but no more than [`DRAIN`], so that a flood is matched as it comes.
    pub(super) fn drain(&mut self) -> Result<Filled> {
        let mut piece = vec![0; 64 << 10];
        let mut clean = Vec::new();
        let mut total = 0;
        while total < DRAIN {
            match self.channel.read(&mut piece).with_context(|| self.doing("reading"))? {
                Read::Nothing => break,
                Read::End => {
                    self.ended = Some(self.channel.ending());
                    break;
                }
                Read::Some(length) => {
                    total += length;
                    if let Some(log) = &mut self.log {
                        log.write(&piece[..length]);
                    }
                    clean.clear();
                    self.cleaner.clean(&piece[..length], &mut clean);
                    self.buffer.push(&clean);
                }
            }
        }
        Ok(match (total, &self.ended) {
            (0, Some(_)) => Filled::Ended,
            (0, None) => Filled::Late,
            _ => Filled::Data,
        })
    }

    /// Lets the watches say why the channel has ended, if they know.
    fn last_word(&mut self) -> Option<Error> {
        let result = match self.verdict.take() {
            Some(error) => Err(error),
            // Nobody to ask, or closed by ourselves: nothing to wait for.
            None if !self.watches.iter().any(|watch| watch.knows_endings()) => Ok(()),
            None if matches!(self.channel, Channel::Closed) => Ok(()),
            None => watch::rest(&mut self.watches, LAST_WORD),
        };
        result.err().map(|error| self.with_output(error))
    }

    fn end_of_channel(&mut self) -> Error {
        if self.ended.is_none() {
            // What it said before it ended may say why.
            let _ = self.drain();
            self.ended = Some(self.channel.ending());
        }
        self.last_word().unwrap_or_else(|| self.terminated())
    }

    pub(super) fn with_output(&self, error: Error) -> Error {
        if error.output().is_some() {
            return error;
        }
        error.with_output(self.buffer.tail(ERROR_OUTPUT))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} ({})", self.name)
    }
}
