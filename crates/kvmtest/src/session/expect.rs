//! Sends, and reads until something matches.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::time::Duration;

use camino::Utf8Path;
use regex::bytes::Regex;

use super::DEFAULT_TIMEOUT;
use super::buffer::{BUFFER_LIMIT, Buffer, OVERLAP};
use super::channel::Channel;
use super::follow::Follow;
use super::last_line::last_line;
use super::log::Log;
use super::pattern::{Match, Pattern, compile, first_match, groups, names};
use super::process::Process;
use super::pump::Filled;
use super::terminal::Cleaner;
use super::watch::Watch;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Error, Result};
use crate::wait;

/// A conversation with whatever is at the other end of a socket or a terminal.
///
/// Reading keeps at most [`BUFFER_LIMIT`] bytes (see [`set_buffer_limit`](Self::set_buffer_limit))
/// that were not consumed; of more than that the beginning is dropped and found in the log only.
/// A match is found however its bytes arrive, as long as it begins at most [`OVERLAP`] bytes
/// before those that came last. What a wait that fails has read stays for the next one.
pub struct Expect {
    pub(super) name: String,
    pub(super) channel: Channel,
    /// Why nothing comes any more, once the channel has ended.
    pub(super) ended: Option<String>,
    pub(super) buffer: Buffer,
    pub(super) cleaner: Cleaner,
    pub(super) log: Option<Log>,
    pub(super) watches: Vec<Box<dyn Watch>>,
    /// What a watch said in the moment in which data came, too: data first.
    pub(super) verdict: Option<Error>,
    /// Where it goes on if the other side moves.
    pub(super) follow: Option<Box<dyn Follow>>,
    pub(super) linesep: Vec<u8>,
}

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

    /// Whether the other side is still there. What has come meanwhile is not consumed; after
    /// more than a megabyte of it, the answer is that it is.
    pub fn is_alive(&mut self) -> bool {
        const LOOKS: usize = 4;
        let now = Deadline::after(Duration::ZERO);
        for _ in 0..LOOKS {
            match self.fill(now) {
                Ok(Filled::Data) => {}
                Ok(Filled::Late) => return true,
                Ok(Filled::Ended) | Err(_) => return false,
            }
        }
        true
    }

    /// Whether the other side is known to be gone; what it said last may still be unread.
    pub fn is_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Closes it: a process is killed and reaped, with its session.
    pub fn close(&mut self) {
        self.channel = Channel::Closed;
        if let Some(follow) = &self.follow {
            follow.close();
        }
        self.ended.get_or_insert_with(|| "the session is closed".to_owned());
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
            follow: None,
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
        let mut doing = None;
        loop {
            if let Some(found) = look(self) {
                return Ok(found);
            }
            doing.get_or_insert_with(|| doing::begin(format!("waiting for {}", names(patterns))));
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
}
