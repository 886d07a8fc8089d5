//! Programs of the host that are run to their end, with a deadline and with an end to their output.

mod output;
mod running;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use camino::Utf8PathBuf;
use rustix::process::{Signal, set_parent_process_death_signal};

use self::output::Output;
use super::program;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

pub use running::{Left, Running};

/// Bytes of output that are kept in a log, where nothing else is said.
const LOG_LIMIT: u64 = 16 << 20;

/// A program of the host, to be run with a deadline.
///
/// It leads a process group of its own, so that it can be ended with all that it has started, and
/// has no standard input. The kernel kills it when the thread that started it ends, so that
/// nothing is left of it when this process is killed.
///
/// ```
/// # use std::time::Duration;
/// # use kvmtest::host::HostCommand;
/// let ended = HostCommand::new("echo").args(["a", "b"]).run(Duration::from_secs(60))?;
/// assert!(ended.status.success());
/// assert_eq!(ended.output, b"a b\n");
/// # Ok::<(), kvmtest::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HostCommand {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: Option<Utf8PathBuf>,
    limit: u64,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed; the beginning of it, if that was more than 4 MiB. Empty where a log takes
    /// it.
    pub output: Vec<u8>,
    /// The end of what it printed on standard error; where a log takes both, the end of both.
    pub errors: Vec<u8>,
    /// What it had started and left running.
    pub left: Vec<Left>,
}

impl HostCommand {
    /// The program `program`: a path, or a name that is looked for on `PATH`.
    pub fn new(program: impl Into<String>) -> Self {
        let program = program.into();
        Self { program, args: Vec::new(), env: Vec::new(), log: None, limit: LOG_LIMIT }
    }

    /// A line that somebody wrote for the shell: `/bin/sh -c LINE`. No value is ever put into it;
    /// values go into its environment.
    pub fn shell(line: impl Into<String>) -> Self {
        Self::new("/bin/sh").args(["-c".to_owned(), line.into()])
    }

    /// Further arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment, besides ours. A name or a value that no environment can
    /// hold is left out.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let legal = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
        if legal {
            self.env.push((name, value));
        }
        self
    }

    /// Everything that it prints goes to this file, which is made with the first byte.
    #[must_use]
    pub fn log(mut self, path: impl Into<Utf8PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// How many bytes the log takes, where 16 MiB are not right; the rest is dropped, and how much
    /// that was stands at the end.
    #[must_use]
    pub fn log_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Runs it to its end. When `timeout` has passed, or somebody asked to stop, it is killed with
    /// all that it has started, and that is an error. How it ended is none: see [`Ended::status`].
    pub fn run(&self, timeout: Duration) -> Result<Ended> {
        let mut running = self.start()?;
        match running.wait(Deadline::after(timeout)) {
            Ok(true) => Ok(running.finish()),
            Ok(false) => {
                let ended = running.kill();
                let message = format!(
                    "{} did not end within {} s, and was killed with all that it had started",
                    self.words(),
                    timeout.as_secs_f64()
                );
                Err(Error::new(ErrorKind::Host, message).with_output(ended.errors))
            }
            Err(error) => {
                running.kill();
                Err(error.context(format!("running {}", self.words())))
            }
        }
    }

    /// Starts it. What it prints is read only in [`Running::wait`].
    pub fn start(&self) -> Result<Running> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).process_group(0);
        let (output, errors) = self.streams(&mut command)?;
        // SAFETY: one system call is made between fork and exec, which is allowed there.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let child = command.spawn().map_err(|error| self.not_started(error))?;
        // Until it is dropped it holds the writing ends, and the pipes would never end.
        drop(command);
        Running::new(child, output, errors)
    }

    /// As a message names it: the program and its first arguments.
    pub fn words(&self) -> String {
        let words: Vec<&str> = match (self.program.as_str(), self.args.as_slice()) {
            ("/bin/sh", [flag, line]) if flag == "-c" => vec![line.as_str()],
            (program, args) => {
                let name = program.rsplit('/').next().unwrap_or(program);
                std::iter::once(name).chain(args.iter().take(1).map(String::as_str)).collect()
            }
        };
        let words = words.join(" ");
        let short: String = words.chars().take(100).collect();
        format!("`{}`", short.escape_debug())
    }

    /// Where its output and its errors are read: of a log, both from one pipe, in their order.
    fn streams(&self, command: &mut Command) -> Result<(Option<Output>, Option<Output>)> {
        let (errors, to_errors) = pipe()?;
        let Some(log) = &self.log else {
            let (output, to_output) = pipe()?;
            command.stdout(to_output).stderr(to_errors);
            return Ok((Some(Output::beginning(output)), Some(Output::end(errors))));
        };
        command.stdout(to_errors.try_clone()?).stderr(to_errors);
        Ok((None, Some(Output::logged(errors, log.clone(), self.limit))))
    }

    fn not_started(&self, error: io::Error) -> Error {
        if error.kind() != io::ErrorKind::NotFound {
            let message = format!("cannot start {}", self.words());
            return Error::new(ErrorKind::Host, message).caused_by(error);
        }
        let name = self.program.rsplit('/').next().unwrap_or(&self.program);
        let mend = match program::install_command(name) {
            Some(command) => format!(": `{command}` installs it"),
            None => String::new(),
        };
        Error::new(ErrorKind::Host, format!("`{}` is not installed{mend}", self.program))
    }
}

impl Ended {
    /// Its end in words, with its last words: `exit status: 1: no such file`.
    pub fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.errors);
        match text.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(last) => {
                let last: String = last.trim().chars().take(300).collect();
                format!("{}: {}", self.status, visible(&last))
            }
            None => self.status.to_string(),
        }
    }
}

/// The same text with nothing in it that a terminal would obey.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// A pipe of which nobody else inherits an end.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}
