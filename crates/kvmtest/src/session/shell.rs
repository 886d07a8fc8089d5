//! A shell in a guest, or on the host.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::Utf8Path;
use regex::bytes::Regex;

use super::command::{Framed, Marks, number};
use super::echo::strip_echo;
use super::expect::Expect;
use super::params::{LoginParams, STATUS_TEST_COMMAND};
use super::pattern::{Match, Pattern, lossy};
use super::watch::Watch;
use super::{DEFAULT_TIMEOUT, seconds};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// A shell session: over a serial console, `ssh`, or a process on a terminal.
///
/// With a POSIX shell behind it (that is, unless [`set_status_test_command`] names another
/// command than `echo $?`), a command's output and status are exact whatever the output looks
/// like: they are read between marks, in one round trip. With any other shell the prompt is
/// what ends a command, and its echo is taken out of the output.
///
/// Output is at most [`BUFFER_LIMIT`](super::BUFFER_LIMIT) bytes; of more than that the end is
/// returned, and all of it is in the log. Line ends at the end of an output are dropped from the
/// text forms, as `$(…)` does.
///
/// Functions that take a deadline take a [`Duration`] as well; the others wait for
/// [`DEFAULT_TIMEOUT`].
///
/// [`set_status_test_command`]: Self::set_status_test_command
pub struct Session {
    pub(super) expect: Expect,
    prompt: Regex,
    status_test_command: String,
    marks: Marks,
    /// A command did not end in time: it may still be running.
    unfinished: bool,
    /// No prompt came after the last command, so the next one does not wait for it long.
    promptless: bool,
}

/// What a command did.
struct Outcome {
    status: Option<i32>,
    output: Vec<u8>,
}

/// How long a prompt may take to come after the end of a command is known.
const PROMPT_GRACE: Duration = Duration::from_secs(1);
/// The same, when none came the last time: it may look different now.
const PROMPTLESS_GRACE: Duration = Duration::from_millis(100);
/// How long a command that is interrupted may take to end.
const INTERRUPT_GRACE: Duration = Duration::from_secs(5);
const CTRL_C: &[u8] = b"\x03";

impl Session {
    /// Over a connected Unix socket, such as a serial console of QEMU. `name` is what errors call
    /// the session; everything received is appended to the file `log`.
    pub fn over_unix(stream: UnixStream, name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Ok(Self::over(Expect::over_unix(stream, name, log)?))
    }

    /// Over a TCP connection, as `nc` would.
    pub fn over_tcp(stream: TcpStream, name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Ok(Self::over(Expect::over_tcp(stream, name, log)?))
    }

    /// Starts `argv` on a pseudo terminal of its own, without echo. The process, and whatever it
    /// left running in its session, is killed when this is closed or dropped.
    pub fn spawn(argv: &[String], name: &str, log: Option<&Utf8Path>) -> Result<Self> {
        Ok(Self::over(Expect::spawn(argv, name, log)?))
    }

    /// Over a conversation that was begun before.
    pub fn over(expect: Expect) -> Self {
        let defaults = LoginParams::default();
        Self {
            expect,
            prompt: defaults.prompt,
            status_test_command: defaults.status_test_command,
            marks: Marks::new(),
            unfinished: false,
            promptless: false,
        }
    }

    /// The conversation below, for its limits and whatever is not about a shell.
    pub fn expect(&mut self) -> &mut Expect {
        &mut self.expect
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        self.expect.name()
    }

    /// Has every wait end when `watch` says so.
    pub fn add_watch(&mut self, watch: Box<dyn Watch>) {
        self.expect.add_watch(watch);
    }

    /// Takes over what `params` say of the shell: prompt, line end, status command.
    pub fn set_params(&mut self, params: &LoginParams) {
        self.prompt = params.prompt.clone();
        self.status_test_command.clone_from(&params.status_test_command);
        self.expect.set_linesep(params.linesep.clone());
    }

    /// What the prompt looks like on the last line; `[\#\$]\s*$` unless set.
    pub fn set_prompt(&mut self, prompt: impl Pattern) -> Result<()> {
        self.prompt = prompt.to_regex()?;
        if self.promptless {
            // The one that stands there was not known as such before.
            self.promptless = false;
            self.skip_prompt(Deadline::after(PROMPT_GRACE))?;
        }
        Ok(())
    }

    /// What prints the status of the last command; `echo $?` unless set.
    pub fn set_status_test_command(&mut self, command: &str) {
        command.clone_into(&mut self.status_test_command);
    }

    /// What ends a line that is sent; `\n` unless set.
    pub fn set_linesep(&mut self, linesep: impl Into<Vec<u8>>) {
        self.expect.set_linesep(linesep);
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.expect.send(bytes)
    }

    /// Sends a line.
    pub fn sendline(&mut self, line: impl AsRef<[u8]>) -> Result<()> {
        self.expect.sendline(line)
    }

    /// Reads until one of `patterns` matches; see [`Expect::read_until_output_matches`].
    pub fn read_until_output_matches<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: impl Into<Deadline>,
    ) -> Result<Match> {
        self.expect.read_until_output_matches(patterns, deadline)
    }

    /// Reads until one of `patterns` matches in the last line; see
    /// [`Expect::read_until_last_line_matches`].
    pub fn read_until_last_line_matches<P: Pattern>(
        &mut self,
        patterns: &[P],
        deadline: impl Into<Deadline>,
    ) -> Result<Match> {
        self.expect.read_until_last_line_matches(patterns, deadline)
    }

    /// Takes what comes until nothing came for `quiet`; see [`Expect::read_nonblocking`].
    pub fn read_nonblocking(
        &mut self,
        quiet: Duration,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>> {
        self.expect.read_nonblocking(quiet, deadline)
    }

    /// Reads until the cursor stands behind a prompt; returns what came before its line.
    pub fn read_up_to_prompt(&mut self) -> Result<String> {
        self.read_up_to_prompt_timeout(DEFAULT_TIMEOUT)
    }

    /// [`read_up_to_prompt`](Self::read_up_to_prompt) with a deadline.
    pub fn read_up_to_prompt_timeout(&mut self, deadline: impl Into<Deadline>) -> Result<String> {
        Ok(lossy(&self.up_to_prompt(deadline.into())?))
    }

    /// Runs `command`: its output. A status other than 0 is an error of the kind `ShellCommand`
    /// that carries the output.
    pub fn cmd(&mut self, command: &str) -> Result<String> {
        self.cmd_timeout(command, DEFAULT_TIMEOUT)
    }

    /// [`cmd`](Self::cmd) with a deadline.
    pub fn cmd_timeout(&mut self, command: &str, deadline: impl Into<Deadline>) -> Result<String> {
        let (status, output) = self.status_and_bytes(command, deadline.into())?;
        if status == 0 {
            return Ok(text(&output));
        }
        let message = format!("`{}` ended with status {status}{}", shown(command), said(&output));
        Err(Error::new(ErrorKind::ShellCommand, message).with_output(output))
    }

    /// Runs `command`: its status.
    pub fn cmd_status(&mut self, command: &str) -> Result<i32> {
        self.cmd_status_timeout(command, DEFAULT_TIMEOUT)
    }

    /// [`cmd_status`](Self::cmd_status) with a deadline.
    pub fn cmd_status_timeout(
        &mut self,
        command: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<i32> {
        Ok(self.status_and_bytes(command, deadline.into())?.0)
    }

    /// Runs `command`: its output, whatever the status.
    pub fn cmd_output(&mut self, command: &str) -> Result<String> {
        self.cmd_output_timeout(command, DEFAULT_TIMEOUT)
    }

    /// [`cmd_output`](Self::cmd_output) with a deadline.
    pub fn cmd_output_timeout(
        &mut self,
        command: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<String> {
        Ok(text(&self.run(command, deadline.into())?.output))
    }

    /// Runs `command`: its output as bytes, with the line ends at its end, whatever the status.
    /// Terminal escapes and carriage returns are not part of it: what must arrive bit by bit
    /// has to be encoded in the guest (`base64`).
    pub fn cmd_output_bytes(
        &mut self,
        command: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>> {
        Ok(self.run(command, deadline.into())?.output)
    }

    /// Runs `command`: its status and output.
    pub fn cmd_status_output(&mut self, command: &str) -> Result<(i32, String)> {
        self.cmd_status_output_timeout(command, DEFAULT_TIMEOUT)
    }

    /// [`cmd_status_output`](Self::cmd_status_output) with a deadline.
    pub fn cmd_status_output_timeout(
        &mut self,
        command: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<(i32, String)> {
        let (status, output) = self.status_and_bytes(command, deadline.into())?;
        Ok((status, text(&output)))
    }

    /// Whether anything at all answers an empty line within `timeout`.
    pub fn is_responsive(&mut self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        let answer = self
            .expect
            .read_nonblocking(Duration::ZERO, deadline)
            .and_then(|_| self.expect.sendline_by(b"", deadline))
            .and_then(|()| self.expect.read_until_output_matches(&["(?s)."], deadline));
        // The rest of the answer, a prompt in most cases, belongs to nobody.
        answer.is_ok() && self.expect.read_nonblocking(Duration::ZERO, deadline).is_ok()
    }

    /// Closes the session; a process behind it is killed.
    pub fn close(&mut self) {
        self.expect.close();
    }

    /// Whether the shell is one whose commands are read between marks.
    pub(super) fn is_posix(&self) -> bool {
        self.status_test_command.trim() == STATUS_TEST_COMMAND
    }

    pub(super) fn prompt(&self) -> &Regex {
        &self.prompt
    }

    pub(super) fn marks(&mut self) -> &mut Marks {
        &mut self.marks
    }

    /// After the end of a command: the prompt, so that it is not taken for that of the next one.
    pub(super) fn skip_prompt(&mut self, deadline: Deadline) -> Result<()> {
        let grace = if self.promptless { PROMPTLESS_GRACE } else { PROMPT_GRACE };
        let prompt = [self.prompt.clone()];
        match self.expect.read_until_prompt_matches(&prompt, deadline.at_most(grace)) {
            Ok(_) => self.promptless = false,
            // The command is through and its outcome known, whatever hides the prompt.
            Err(error) if error.kind() == ErrorKind::ExpectTimeout => self.promptless = true,
            // `exit` in a command: the next one will meet the end.
            Err(error) if error.kind() == ErrorKind::ExpectTerminated => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn status_and_bytes(&mut self, command: &str, deadline: Deadline) -> Result<(i32, Vec<u8>)> {
        let Outcome { status, output } = self.run(command, deadline)?;
        let status = match status {
            Some(status) => status,
            None => self.ask_status(command, deadline)?,
        };
        Ok((status, output))
    }

    fn run(&mut self, command: &str, deadline: Deadline) -> Result<Outcome> {
        let given = deadline.remaining();
        let result = if self.is_posix() {
            self.run_between_marks(command, deadline)
        } else {
            self.run_up_to_prompt(command, deadline)
        };
        result.map_err(|error| self.in_command(error, command, given))
    }

    fn run_between_marks(&mut self, command: &str, deadline: Deadline) -> Result<Outcome> {
        let Framed { number, lines } = self.marks.frame(command)?;
        self.settle(deadline)?;
        self.unfinished = true;
        let begin = [self.marks.begin()];
        for (index, line) in lines.iter().enumerate() {
            // Typed ahead, a line may be lost, or be taken for the end of all input, while a
            // shell switches its terminal from one mode to the other.
            if index > 0 {
                self.skip_prompt(deadline)?;
            }
            self.expect.sendline_by(line.as_bytes(), deadline)?;
            self.until_mark(&begin, number, deadline)?;
        }
        let end = [self.marks.end()];
        let found = self.until_mark(&end, number, deadline)?;
        self.unfinished = false;
        if found.dropped > 0 {
            tracing::warn!(
                session = self.expect.name(),
                dropped = found.dropped,
                "the beginning of a long output is in the log only"
            );
        }
        let status =
            found.groups.get(1).and_then(Option::as_deref).and_then(super::command::number);
        self.skip_prompt(deadline)?;
        let status = status.and_then(|status| i32::try_from(status).ok());
        Ok(Outcome { status, output: found.before })
    }

    /// Reads up to the mark with `number`; others are of commands that did not end in time.
    fn until_mark(&mut self, mark: &[Regex], wanted: u64, deadline: Deadline) -> Result<Match> {
        loop {
            let found = self.expect.read_until_output_matches(mark, deadline)?;
            let group = found.groups.first().and_then(Option::as_deref);
            if group.and_then(number).and_then(|number| u64::try_from(number).ok()) == Some(wanted)
            {
                return Ok(found);
            }
        }
    }

    /// Interrupts a command that did not end in time.
    fn settle(&mut self, deadline: Deadline) -> Result<()> {
        if !self.unfinished {
            return Ok(());
        }
        self.expect.take_all();
        self.expect.send_by(CTRL_C, deadline)?;
        let prompt = [self.prompt.clone()];
        self.expect.read_until_prompt_matches(&prompt, deadline.at_most(INTERRUPT_GRACE)).map_err(
            |error| error.context("interrupting a command that had not ended in its time"),
        )?;
        self.unfinished = false;
        Ok(())
    }

    fn run_up_to_prompt(&mut self, command: &str, deadline: Deadline) -> Result<Outcome> {
        self.expect.read_nonblocking(Duration::ZERO, deadline)?;
        self.expect.sendline_by(command.as_bytes(), deadline)?;
        let output = self.up_to_prompt(deadline)?;
        let output = strip_echo(&output, command.as_bytes()).to_vec();
        Ok(Outcome { status: None, output })
    }

    /// The status of the last command, where a foreign command tells it: the first line of
    /// digits alone.
    fn ask_status(&mut self, command: &str, deadline: Deadline) -> Result<i32> {
        let given = deadline.remaining();
        let status_test_command = self.status_test_command.clone();
        let outcome = self
            .run_up_to_prompt(&status_test_command, deadline)
            .map_err(|error| self.in_command(error, &status_test_command, given))?;
        let answer = lossy(&outcome.output);
        answer.lines().find_map(|line| line.trim().parse().ok()).ok_or_else(|| {
            let message = format!(
                "the status of `{}` cannot be read: `{status_test_command}` printed no number",
                shown(command)
            );
            Error::new(ErrorKind::ShellStatus, message).with_output(outcome.output)
        })
    }

    fn up_to_prompt(&mut self, deadline: Deadline) -> Result<Vec<u8>> {
        let prompt = [self.prompt.clone()];
        Ok(self.expect.read_until_prompt_matches(&prompt, deadline)?.before)
    }

    /// An error of the conversation, in the terms of a command.
    fn in_command(&self, error: Error, command: &str, given: Duration) -> Error {
        let (kind, what) = match error.kind() {
            ErrorKind::ExpectTimeout => {
                (ErrorKind::ShellTimeout, format!("did not end within {}", seconds(given)))
            }
            ErrorKind::ExpectTerminated => {
                (ErrorKind::ShellTerminated, "did not end: the session did".to_owned())
            }
            _ => return error.context(format!("running `{}`", shown(command))),
        };
        let output = error.output().unwrap_or_default().to_vec();
        let message = format!("{}: `{}` {what}{}", self.name(), shown(command), said(&output));
        let new = Error::new(kind, message).with_output(output);
        if kind == ErrorKind::ShellTerminated {
            // Without its context: that is a mark of ours, which says nothing to anybody.
            return new.caused_by(Error::new(error.kind(), error.message()));
        }
        new
    }
}

/// Output as the text forms return it.
fn text(output: &[u8]) -> String {
    let mut text = lossy(output);
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// A command as a message names it: its first line, and not more than a screen's width of it.
fn shown(command: &str) -> String {
    let line = command.lines().next().unwrap_or_default();
    let short: String = line.chars().take(80).collect();
    let more = if short.len() < command.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

/// The last line of an output, as a message ends with it.
fn said(output: &[u8]) -> String {
    let output = lossy(output);
    match output.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => {
            let short: String = line.trim().chars().take(200).collect();
            format!(": `{}`", short.escape_debug())
        }
        None => String::new(),
    }
}
