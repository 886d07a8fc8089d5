//! How a session runs a command: between marks where the shell is a POSIX one, up to the prompt
//! where it is not.

use std::time::Duration;

use regex::bytes::Regex;

use super::command::{Framed, number};
use super::echo::strip_echo;
use super::pattern::{Match, lossy};
use super::seconds;
use super::shell::Session;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Error, ErrorKind, Result};

/// What a command did.
pub(super) struct Outcome {
    pub(super) status: Option<i32>,
    pub(super) output: Vec<u8>,
}

/// How long a prompt may take to come after the end of a command is known.
pub(super) const PROMPT_GRACE: Duration = Duration::from_secs(1);
/// The same, when none came the last time: it may look different now.
const PROMPTLESS_GRACE: Duration = Duration::from_millis(100);
/// How long a command that is interrupted may take to end.
const INTERRUPT_GRACE: Duration = Duration::from_secs(5);
const CTRL_C: &[u8] = b"\x03";

impl Session {
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

    pub(super) fn status_and_bytes(
        &mut self,
        command: &str,
        deadline: Deadline,
    ) -> Result<(i32, Vec<u8>)> {
        let Outcome { status, output } = self.run(command, deadline)?;
        let status = match status {
            Some(status) => status,
            None => self.ask_status(command, deadline)?,
        };
        Ok((status, output))
    }

    pub(super) fn run(&mut self, command: &str, deadline: Deadline) -> Result<Outcome> {
        self.pass_checkpoint(command)?;
        let given = deadline.remaining();
        let _doing = doing::begin(format!("running `{command}`"));
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
        self.expect.look_where_to(deadline)?;
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

    pub(super) fn up_to_prompt(&mut self, deadline: Deadline) -> Result<Vec<u8>> {
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

/// A command as a message names it: its first line, and not more than a screen's width of it.
pub(super) fn shown(command: &str) -> String {
    let line = command.lines().next().unwrap_or_default();
    let short: String = line.chars().take(80).collect();
    let more = if short.len() < command.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

/// The last line of an output, as a message ends with it.
pub(super) fn said(output: &[u8]) -> String {
    let output = lossy(output);
    match output.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => {
            let short: String = line.trim().chars().take(200).collect();
            format!(": `{}`", short.escape_debug())
        }
        None => String::new(),
    }
}
