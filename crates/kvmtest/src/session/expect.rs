//! Sends, and reads until something matches.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::time::Duration;

use camino::Utf8Path;
use regex::bytes::Regex;
use rustix::event::PollFlags;

use super::buffer::{BUFFER_LIMIT, Buffer, OVERLAP};
use super::channel::{Channel, Read};
use super::last_line::last_line;
use super::log::Log;
use super::pattern::{Match, Pattern, compile, first_match, groups, names};
use super::process::Process;
use super::terminal::Cleaner;
use super::watch::{self, Watch};
use super::{DEFAULT_TIMEOUT, seconds};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::wait;

/// A conversation with whatever is at the other end of a socket or a terminal.
///
/// Reading keeps at most [`BUFFER_LIMIT`] bytes (see [`set_buffer_limit`](Self::set_buffer_limit))
/// that were not consumed; of more than that the beginning is dropped and found in the log only.
/// A match is found however its bytes arrive, as long as it begins at most [`OVERLAP`] bytes
/// before those that came last. What a wait that fails has read stays for the next one.
pub struct Expect {
    name: String,
    channel: Channel,
    /// Why nothing comes any more, once the channel has ended.
    ended: Option<String>,
    buffer: Buffer,
    cleaner: Cleaner,
    log: Option<Log>,
    watches: Vec<Box<dyn Watch>>,
    /// What a watch said in the moment in which data came, too: data first.
    verdict: Option<Error>,
    linesep: Vec<u8>,
}

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
    /// Over a connected Unix socket, such as a serial console of QEMU. `name` is what errors call
    /// the session; everything received is appended to the file `log`.
    pub fn over_unix(stream: UnixStream, name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Self::over(Channel::Socket(stream.into()), name, log)
    }

    /// Over a TCP connection, as `nc` would.
    pub fn over_tcp(stream: TcpStream, name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Self::over(Channel::Socket(stream.into()), name, log)
    }

    /// Starts `argv` on a pseudo terminal of its own, without echo. The process, and whatever it
    /// left running in its session, is killed when this is closed or dropped.
    pub fn spawn(argv: &[String], name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Self::over(Channel::Process(Box::new(Process::spawn(argv)?)), name, log)
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Has every wait end when `watch` says so.
    pub fn add_watch(&mut self, watch: Box<dyn Watch>) {
        self.watches.push(watch);
    }

    /// Takes all watches off again.
    pub fn take_watches(&mut self) -> Vec<Box<dyn Watch>> {
        std::mem::take(&mut self.watches)
    }

    /// What [`sendline`](Self::sendline) ends a line with; `\n` unless set.
    pub fn set_linesep(&mut self, linesep: impl Into<Vec<u8>>) {
        self.linesep = linesep.into();
    }

    /// Keeps at most `limit` bytes of output for matching and returning; no less than 8 KiB.
    pub fn set_buffer_limit(&mut self, limit: usize) {
        self.buffer.set_limit(limit);
    }

    /// Lets the log grow by at most `limit` bytes from now on.
    pub fn set_log_limit(&mut self, limit: u64) {
        if let Some(log) = &mut self.log {
            log.set_limit(limit);
        }
    }

    /// Sends bytes as they are, within [`DEFAULT_TIMEOUT`].
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.send_by(bytes.as_ref(), Deadline::after(DEFAULT_TIMEOUT))
    }

    /// Sends a line, within [`DEFAULT_TIMEOUT`].
    pub fn sendline(&mut self, line: impl AsRef<[u8]>) -> Result<()> {
        self.sendline_by(line.as_ref(), Deadline::after(DEFAULT_TIMEOUT))
    }

    /// Reads until one of `patterns` matches in what was read and not consumed.
    ///
    /// Where several match, the match that ends first counts. Errors carry the output and are of
    /// the kinds `ExpectTimeout`, `ExpectTerminated`, `Interrupted`, or what a watch says.
    pub fn read_until_output_matches<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: impl Into<Deadline>,
    ) -> Result<Match> {
        let patterns = compile(patterns)?;
        let mut searched = 0;
        self.read_until(&patterns, deadline.into(), |this| {
            let (text, offset) = (this.buffer.unread(), this.buffer.offset());
            // A position in memory always fits.
            let from = usize::try_from(u64::saturating_sub(searched, offset)).unwrap_or(0);
            searched = this.buffer.end();
            let (index, range) = first_match(&patterns, text, from.saturating_sub(OVERLAP))?;
            let groups = groups(&patterns[index], text, range.start);
            Some(this.take(index, range, groups))
        })
    }

    /// Reads until one of `patterns` matches in the last line that is not blank, messages of the
    /// kernel left out. Everything read is consumed.
    pub fn read_until_last_line_matches<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: impl Into<Deadline>,
    ) -> Result<Match> {
        self.until_last_line(patterns, deadline.into(), false)
    }

    /// The same, for a line on which the cursor still stands: a prompt.
    pub(super) fn read_until_prompt_matches<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: Deadline,
    ) -> Result<Match> {
        self.until_last_line(patterns, deadline, true)
    }

    /// Takes what is there and what comes, until nothing came for `quiet` (which may be zero) or
    /// `deadline` has passed. Nothing at all is no error, unless the other side is gone.
    pub fn read_nonblocking(
        &mut self,
        quiet: Duration,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>> {
        let deadline = deadline.into();
        loop {
            match self.fill(deadline.at_most(quiet))? {
                Filled::Data if !deadline.expired() => {}
                Filled::Ended if self.buffer.unread().is_empty() => return Err(self.terminated()),
                _ => return Ok(self.take_all()),
            }
        }
    }

    /// Reads until the other side is gone: what it said, and how the process ended if it was one.
    pub fn read_until_end(
        &mut self,
        deadline: impl Into<Deadline>,
    ) -> Result<(Vec<u8>, Option<ExitStatus>)> {
        let deadline = deadline.into();
        let given = deadline.remaining();
        loop {
            match self.fill(deadline)? {
                Filled::Data => {}
                Filled::Late => return Err(self.late("the end", given)),
                Filled::Ended => break,
            }
        }
        let status = match &mut self.channel {
            Channel::Process(process) => {
                // Its terminal may close a moment before it ends.
                wait::readable([process.pidfd()], deadline)?;
                process.status()
            }
            _ => None,
        };
        Ok((self.take_all(), status))
    }

    /// Whether the other side is known to be gone; what it said last may still be unread.
    pub fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Closes it: a process is killed and reaped, with its session.
    pub fn close(&mut self) {
        self.channel = Channel::Closed;
        self.ended.get_or_insert_with(|| "the session is closed".to_owned());
    }

    pub(super) fn send_by(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<()> {
        let given = deadline.remaining();
        while !bytes.is_empty() {
            let written = self.channel.write(bytes).with_context(|| self.doing("sending"))?;
            let Some(written) = written else {
                return Err(self.end_of_channel());
            };
            bytes = &bytes[written..];
            if bytes.is_empty() || written > 0 {
                continue;
            }
            // Read as well: the other side may be stuck until we take what it has to say.
            if matches!(self.poll(deadline, PollFlags::IN | PollFlags::OUT)?, Filled::Ended) {
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

    /// What was read and not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.unread()
    }

    /// What was read last, at most `length` bytes of it, consumed bytes left out.
    pub(super) fn tail(&self, length: usize) -> &[u8] {
        self.buffer.tail(length)
    }

    /// How many bytes were read, since ever.
    pub(super) fn position(&self) -> u64 {
        self.buffer.end()
    }

    /// Consumes all but the last `keep` bytes.
    pub(super) fn take_but(&mut self, keep: usize) -> Vec<u8> {
        let length = self.buffer.unread().len().saturating_sub(keep);
        self.buffer.consume(length)
    }

    /// Consumes everything that was read.
    pub(super) fn take_all(&mut self) -> Vec<u8> {
        self.take_but(0)
    }

    /// Waits for more; watches are looked at, too. What came before a watch had something to say
    /// is handed out before its error is.
    pub(super) fn fill(&mut self, deadline: Deadline) -> Result<Filled> {
        if self.ended.is_some() {
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

    fn over(channel: Channel, name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            channel,
            ended: None,
            buffer: Buffer::new(BUFFER_LIMIT),
            cleaner: Cleaner::default(),
            log: log.map(Log::open).transpose()?,
            watches: Vec::new(),
            verdict: None,
            linesep: b"\n".to_vec(),
        })
    }

    fn until_last_line<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: Deadline,
        standing: bool,
    ) -> Result<Match> {
        let patterns = compile(patterns)?;
        self.read_until(&patterns, deadline, |this| {
            let line = last_line(this.buffer.unread());
            if standing && !line.standing {
                return None;
            }
            let (index, range) = first_match(&patterns, &line.text, 0)?;
            let groups = groups(&patterns[index], &line.text, range.start);
            let dropped = this.buffer.dropped();
            let before = this.buffer.consume(line.start);
            this.take_all();
            Some(Match { index, before, matched: line.text[range].to_vec(), groups, dropped })
        })
    }

    fn read_until(
        &mut self,
        patterns: &[Regex],
        deadline: Deadline,
        mut look: impl FnMut(&mut Self) -> Option<Match>,
    ) -> Result<Match> {
        let given = deadline.remaining();
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            match self.fill(deadline)? {
                Filled::Data => {}
                Filled::Late => return Err(self.late(&names(patterns), given)),
                Filled::Ended => {
                    let waited = format!("waiting for {}", names(patterns));
                    return Err(self.terminated().context(waited));
                }
            }
        }
    }

    fn take(
        &mut self,
        index: usize,
        range: std::ops::Range<usize>,
        groups: Vec<Option<Vec<u8>>>,
    ) -> Match {
        let dropped = self.buffer.dropped();
        let mut before = self.buffer.consume(range.end);
        let matched = before.split_off(range.start);
        Match { index, before, matched, groups, dropped }
    }

    /// Polls once, for `flags` of the channel and for the watches, and drains what is there.
    /// `Late` says only that nothing came.
    fn poll(&mut self, deadline: Deadline, flags: PollFlags) -> Result<Filled> {
        if let Some(error) = self.verdict.take() {
            return Err(self.with_output(error));
        }
        let mut wanted = self.channel.wanted(flags);
        let channels = wanted.len();
        wanted.extend(watch::wanted(&self.watches));
        let ready = wait::ready_flags(&wanted, deadline)?;
        let filled = if ready[..channels].iter().any(|flags| !flags.is_empty()) {
            self.drain()?
        } else {
            Filled::Late
        };
        if let Err(error) = watch::check(&mut self.watches, &ready[channels..]) {
            if !matches!(filled, Filled::Data) {
                return Err(self.with_output(error));
            }
            self.verdict = Some(error);
        }
        Ok(filled)
    }

    /// Reads what is there, but no more than [`DRAIN`], so that a flood is matched as it comes.
    fn drain(&mut self) -> Result<Filled> {
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
            None if self.watches.is_empty() || matches!(self.channel, Channel::Closed) => Ok(()),
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

    fn with_output(&self, error: Error) -> Error {
        if error.output().is_some() {
            return error;
        }
        error.with_output(self.buffer.tail(ERROR_OUTPUT))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} ({})", self.name)
    }
}
