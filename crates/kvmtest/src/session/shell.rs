//! A shell in a guest, or on the host.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use camino::Utf8Path;
use regex::bytes::Regex;

use super::DEFAULT_TIMEOUT;
use super::checkpoint::Checkpoint;
use super::command::Marks;
use super::expect::Expect;
use super::params::{LoginParams, STATUS_TEST_COMMAND};
use super::pattern::{Match, Pattern, lossy};
use super::running::{PROMPT_GRACE, said, shown};
use super::watch::Watch;
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
    pub(super) prompt: Regex,
    pub(super) status_test_command: String,
    pub(super) marks: Marks,
    /// A command did not end in time: it may still be running.
    pub(super) unfinished: bool,
    /// No prompt came after the last command, so the next one does not wait for it long.
    pub(super) promptless: bool,
    /// What may happen before each command.
    pub(super) checkpoint: Option<Box<dyn Checkpoint>>,
}

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
            checkpoint: None,
        }
    }

    /// The conversation below alone.
    pub(crate) fn into_expect(self) -> Expect {
        self.expect
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

    /// Reads until the cursor stands behind a prompt; returns what came before its line, as bytes.
    pub fn bytes_up_to_prompt(&mut self, deadline: impl Into<Deadline>) -> Result<Vec<u8>> {
        self.up_to_prompt(deadline.into())
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
        if status == 0 { Ok(text(&output)) } else { Err(failed(command, status, output)) }
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

    /// Runs `command`: its status, and its output as bytes, see
    /// [`cmd_output_bytes`](Self::cmd_output_bytes).
    pub fn cmd_status_output_bytes(
        &mut self,
        command: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<(i32, Vec<u8>)> {
        self.status_and_bytes(command, deadline.into())
    }

    /// Whether anything at all answers an empty line within `timeout`.
    pub fn is_responsive(&mut self, timeout: Duration) -> bool {
        let deadline = Deadline::after(timeout);
        let answer = self
            .expect
            .look_where_to(deadline)
            .and_then(|()| self.expect.read_nonblocking(Duration::ZERO, deadline))
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
    pub(crate) fn is_posix(&self) -> bool {
        self.status_test_command.trim() == STATUS_TEST_COMMAND
    }

    pub(super) fn prompt(&self) -> &Regex {
        &self.prompt
    }

    pub(super) fn marks(&mut self) -> &mut Marks {
        &mut self.marks
    }
}

/// The error for a command that ended with another status than 0: what [`Session::cmd`] returns.
pub fn failed(command: &str, status: i32, output: Vec<u8>) -> Error {
    let message = format!("`{}` ended with status {status}{}", shown(command), said(&output));
    Error::new(ErrorKind::ShellCommand, message).with_output(output)
}

/// Output as the text forms return it.
fn text(output: &[u8]) -> String {
    let mut text = lossy(output);
    text.truncate(text.trim_end_matches('\n').len());
    text
}
