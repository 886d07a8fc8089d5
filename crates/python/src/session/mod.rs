//! `ShellSession`: a conversation with a shell in a guest, or with any process or socket.

mod gate;

use std::os::unix::net::UnixStream;
use std::time::Duration;

use kvmtest::session::{DEFAULT_TIMEOUT, LoginParams, Match, Session, connect, failed, login};
use kvmtest::{Context as _, Deadline, Result};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::error::{raise_status, unpicklable};
use crate::own::Own;
use crate::params::Params;
use crate::pattern::{Pattern, Patterns};
use crate::value::{FilePath, Seconds, Text, output, text};
use crate::wait::wait;
use gate::Gate;

/// How long an answer is waited for where only that is the question.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a session may take to close.
const CLOSE: Duration = Duration::from_secs(10);

/// A shell over a serial console, `ssh`, or a process on a terminal.
///
/// With a POSIX shell behind it, a command's output and status are exact whatever the output looks
/// like. A `timeout` that is not given is 60 seconds. Patterns are regular expressions, as `str`
/// or from `re.compile`, without what only `re` has: look-around and references back.
///
/// Several threads may use one session: each call has it to itself, the others wait. As a context
/// manager it is closed at the end.
#[pyclass(frozen, module = "kvmtest")]
pub(crate) struct ShellSession {
    name: String,
    gate: Own<Gate>,
}

impl ShellSession {
    pub(crate) fn of(session: Session) -> Result<Self> {
        let name = session.name().to_owned();
        Ok(Self { name, gate: Own::new(Gate::new(session)?) })
    }

    /// The session itself, for what it ends with.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Session> {
        let gate = self.gate.get()?;
        wait(py, || gate.take(Deadline::after(CLOSE)))
    }

    /// Runs `work` with the session to itself.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        timeout: Option<Seconds>,
        work: impl FnOnce(&mut Session, Deadline) -> Result<T> + Send,
    ) -> PyResult<T> {
        let gate = self.gate.get()?;
        let deadline = Deadline::after(Seconds::or(timeout, DEFAULT_TIMEOUT));
        wait(py, || gate.pass(deadline, |session| work(session, deadline)))
    }

    fn found<'py>(py: Python<'py>, found: &Match) -> PyResult<(usize, Bound<'py, PyString>)> {
        Ok((found.index, text(py, &[&found.before[..], &found.matched].concat())?))
    }

    fn run(
        &self,
        py: Python<'_>,
        command: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<(i32, Vec<u8>)> {
        self.with(py, timeout, |session, deadline| {
            session.cmd_status_output_bytes(command, deadline)
        })
    }
}

#[pymethods]
impl ShellSession {
    /// Starts a program of this host on a terminal of its own, without echo. It is killed, with
    /// all that it left running, when the session is closed.
    ///
    /// `name` is what errors call the session; everything received is appended to the file `log`.
    #[staticmethod]
    #[pyo3(signature = (argv, name = None, log = None))]
    fn spawn(
        py: Python<'_>,
        argv: &Bound<'_, PyAny>,
        name: Option<String>,
        log: Option<FilePath>,
    ) -> PyResult<Self> {
        if argv.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("argv must be a list of words, not a str"));
        }
        let argv: Vec<String> = argv.extract()?;
        let name = name.or_else(|| argv.first().cloned()).unwrap_or_default();
        wait(py, || Self::of(Session::spawn(&argv, &name, path(log.as_ref()))?))
    }

    /// Talks to a socket: `(host, port)` for TCP, a path for a Unix socket.
    #[staticmethod]
    #[pyo3(signature = (address, name = None, log = None))]
    fn connect(
        py: Python<'_>,
        address: &Bound<'_, PyAny>,
        name: Option<String>,
        log: Option<FilePath>,
    ) -> PyResult<Self> {
        if let Ok((host, port)) = address.extract::<(String, u16)>() {
            let name = name.unwrap_or_else(|| format!("{host}:{port}"));
            let deadline = Deadline::after(DEFAULT_TIMEOUT);
            return wait(py, || {
                let stream = connect(&host, port, deadline)?;
                Self::of(Session::over_tcp(stream, &name, path(log.as_ref()))?)
            });
        }
        let socket = address.extract::<FilePath>()?.0;
        let name = name.unwrap_or_else(|| socket.to_string());
        wait(py, || {
            let stream = UnixStream::connect(&socket)
                .with_context(|| format!("connecting to the socket {socket}"))?;
            Self::of(Session::over_unix(stream, &name, path(log.as_ref()))?)
        })
    }

    /// Logs in at `host` and `port`, trying again for 60 seconds, or `timeout`.
    ///
    /// `params` say how: `shell_client` (`ssh`, `telnet` or `nc`), `username`, `password`,
    /// `identity_file`, `shell_prompt`, `shell_linesep`, `status_test_command`.
    #[staticmethod]
    #[pyo3(signature = (host, port, params = None, timeout = None, log = None))]
    fn remote_login(
        py: Python<'_>,
        host: &str,
        port: u16,
        params: Option<&Bound<'_, PyAny>>,
        timeout: Option<Seconds>,
        log: Option<FilePath>,
    ) -> PyResult<Self> {
        let params = params.map(Params::read).transpose()?.unwrap_or_default();
        let timeout = Seconds::or(timeout, DEFAULT_TIMEOUT);
        wait(py, || {
            let how = LoginParams::from_params(&params)?;
            Self::of(login::remote(host, port, &how, Vec::new(), path(log.as_ref()), timeout)?)
        })
    }

    /// What errors call it.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Sends text as it is.
    fn send(&self, py: Python<'_>, text: Text) -> PyResult<()> {
        self.with(py, None, |session, _| session.send(text.0))
    }

    /// Sends a line.
    #[pyo3(signature = (line = Text(Vec::new())), text_signature = "($self, line='')")]
    fn sendline(&self, py: Python<'_>, line: Text) -> PyResult<()> {
        self.with(py, None, |session, _| session.sendline(line.0))
    }

    /// Runs `command`: its output. A status other than 0 is a `ShellCmdError`, with the output.
    #[pyo3(signature = (command, timeout = None))]
    fn cmd<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyString>> {
        let (status, bytes) = self.run(py, command, timeout)?;
        if status == 0 {
            return output(py, &bytes);
        }
        Err(raise_status(py, &failed(command, status, bytes), status))
    }

    /// Runs `command`: its output, whatever the status.
    #[pyo3(signature = (command, timeout = None))]
    fn cmd_output<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyString>> {
        let bytes = self
            .with(py, timeout, |session, deadline| session.cmd_output_bytes(command, deadline))?;
        output(py, &bytes)
    }

    /// Runs `command`: its output as bytes, with the line ends at its end, whatever the status.
    /// Terminal escapes and carriage returns are not part of it: what must arrive bit by bit has
    /// to be encoded in the guest (`base64`).
    #[pyo3(signature = (command, timeout = None))]
    fn cmd_output_bytes<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self
            .with(py, timeout, |session, deadline| session.cmd_output_bytes(command, deadline))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Runs `command`: its status.
    #[pyo3(signature = (command, timeout = None))]
    fn cmd_status(&self, py: Python<'_>, command: &str, timeout: Option<Seconds>) -> PyResult<i32> {
        Ok(self.run(py, command, timeout)?.0)
    }

    /// Runs `command`: its status and its output.
    #[pyo3(signature = (command, timeout = None))]
    fn cmd_status_output<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        timeout: Option<Seconds>,
    ) -> PyResult<(i32, Bound<'py, PyString>)> {
        let (status, bytes) = self.run(py, command, timeout)?;
        Ok((status, output(py, &bytes)?))
    }

    /// Reads until one of `patterns` matches in what was read and not consumed: which one, from
    /// 0, and the text up to the end of the match. Of several, the match that ends first counts.
    #[pyo3(signature = (patterns, timeout = None))]
    fn read_until_output_matches<'py>(
        &self,
        py: Python<'py>,
        patterns: Patterns,
        timeout: Option<Seconds>,
    ) -> PyResult<(usize, Bound<'py, PyString>)> {
        let found = self.with(py, timeout, |session, deadline| {
            session.read_until_output_matches(&patterns.0, deadline)
        })?;
        Self::found(py, &found)
    }

    /// Reads until one of `patterns` matches in the last line that is not blank: which one, and
    /// everything that was read.
    #[pyo3(signature = (patterns, timeout = None))]
    fn read_until_last_line_matches<'py>(
        &self,
        py: Python<'py>,
        patterns: Patterns,
        timeout: Option<Seconds>,
    ) -> PyResult<(usize, Bound<'py, PyString>)> {
        let found = self.with(py, timeout, |session, deadline| {
            session.read_until_last_line_matches(&patterns.0, deadline)
        })?;
        Self::found(py, &found)
    }

    /// Reads until one of `patterns` matches in any line, of which `^` and `$` are the ends: which
    /// one, and the text up to the end of the match.
    #[pyo3(signature = (patterns, timeout = None))]
    fn read_until_any_line_matches<'py>(
        &self,
        py: Python<'py>,
        patterns: &Bound<'py, PyAny>,
        timeout: Option<Seconds>,
    ) -> PyResult<(usize, Bound<'py, PyString>)> {
        let patterns = Patterns::of_lines(patterns)?;
        let found = self.with(py, timeout, |session, deadline| {
            session.read_until_output_matches(&patterns.0, deadline)
        })?;
        Self::found(py, &found)
    }

    /// Reads until the cursor stands behind a prompt: what came before its line.
    #[pyo3(signature = (timeout = None))]
    fn read_up_to_prompt<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyString>> {
        let bytes = self.with(py, timeout, Session::bytes_up_to_prompt)?;
        text(py, &bytes)
    }

    /// Takes what is there and what comes, until nothing came for `quiet` seconds. Nothing at all
    /// is no error, unless the other side is gone.
    #[pyo3(signature = (quiet = 0.0, timeout = None))]
    fn read_nonblocking<'py>(
        &self,
        py: Python<'py>,
        quiet: f64,
        timeout: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyString>> {
        let quiet = Seconds::of(quiet)?.0;
        let bytes =
            self.with(py, timeout, |session, deadline| session.read_nonblocking(quiet, deadline))?;
        text(py, &bytes)
    }

    /// Reads until the other side is gone: how its process ended (its exit status, or the signal
    /// that killed it with a minus; `None` for a socket), and what it said.
    #[pyo3(signature = (timeout = None))]
    fn read_until_end<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Seconds>,
    ) -> PyResult<(Option<i32>, Bound<'py, PyString>)> {
        use std::os::unix::process::ExitStatusExt;
        let (bytes, status) =
            self.with(py, timeout, |session, deadline| session.expect().read_until_end(deadline))?;
        let status = status
            .and_then(|status| status.code().or_else(|| status.signal().map(|signal| -signal)));
        Ok((status, text(py, &bytes)?))
    }

    /// Whether anything at all answers an empty line within `timeout` (5 seconds unless given).
    #[pyo3(signature = (timeout = None))]
    fn is_responsive(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<bool> {
        let timeout = Seconds::or(timeout, ANSWER);
        if self.gate.get()?.is_closed() {
            return Ok(false);
        }
        self.with(py, Some(Seconds(timeout)), |session, _| Ok(session.is_responsive(timeout)))
    }

    /// Whether the other side is still there.
    fn is_alive(&self, py: Python<'_>) -> PyResult<bool> {
        if self.gate.get()?.is_closed() {
            return Ok(false);
        }
        self.with(py, None, |session, _| Ok(session.expect().is_alive()))
    }

    /// What the prompt looks like on the last line; `[\#\$]\s*$` unless set.
    fn set_prompt(&self, py: Python<'_>, pattern: Pattern) -> PyResult<()> {
        self.with(py, None, |session, _| session.set_prompt(pattern.0))
    }

    /// What ends a line that is sent; `\n` unless set.
    fn set_linesep(&self, py: Python<'_>, linesep: Text) -> PyResult<()> {
        self.with(py, None, |session, _| {
            session.set_linesep(linesep.0);
            Ok(())
        })
    }

    /// What prints the status of the last command; `echo $?` unless set. With another command
    /// the shell is taken for none of POSIX, and the prompt ends a command.
    fn set_status_test_command(&self, py: Python<'_>, command: &str) -> PyResult<()> {
        if command.trim().is_empty() {
            return Err(PyValueError::new_err("the status command is empty"));
        }
        self.with(py, None, |session, _| {
            session.set_status_test_command(command);
            Ok(())
        })
    }

    /// Closes the session; a process behind it is killed. A thread that waits in it is told.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let gate = self.gate.get()?;
        wait(py, || gate.close(Deadline::after(CLOSE)))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (_kind, _error, _traceback, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        format!("<ShellSession {}>", self.name)
    }

    fn __reduce__(_slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(unpicklable("ShellSession"))
    }
}

fn path(path: Option<&FilePath>) -> Option<&camino::Utf8Path> {
    path.map(|path| path.0.as_path())
}
