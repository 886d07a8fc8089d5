//! Logging in: from a bare console, or from host and port, to a shell.

mod dialogue;
mod rules;

use std::time::Duration;

use camino::Utf8Path;

use self::dialogue::Dialogue;
use self::rules::Place;
use super::client::{Client, arguments};
use super::params::LoginParams;
use super::shell::Session;
use super::watch::{self, Watch};
use super::{seconds, tcp};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};

/// Logs in on a serial console, whatever state it is in: booting, at its login prompt, in the
/// middle of a login, logged in already, or with a command running in it that somebody left.
///
/// Errors are of the kinds `LoginAuthentication`, `LoginTimeout`, `LoginTerminated`, or what a
/// watch of the session says; they carry what the console said.
pub fn serial(
    session: &mut Session,
    params: &LoginParams,
    deadline: impl Into<Deadline>,
) -> Result<()> {
    session.set_params(params);
    Dialogue::new(session, params, Place::Serial).run(deadline.into())
}

/// Logs in at `host` and `port` by the client that `params` name; tries again until `deadline`
/// as long as the guest does not answer or hangs up.
///
/// The session has `watches`, and its log is `log`. Errors are of the kinds
/// `LoginAuthentication`, `LoginTimeout`, `Host` (the client is not installed), or what a watch
/// says.
pub fn remote(
    host: &str,
    port: u16,
    params: &LoginParams,
    watches: Vec<Box<dyn Watch>>,
    log: Option<&Utf8Path>,
    deadline: impl Into<Deadline>,
) -> Result<Session> {
    let deadline = deadline.into();
    let given = deadline.remaining();
    let mut attempt = Attempt { host, port, params, watches, log };
    let mut pause = SHORTEST_PAUSE;
    loop {
        let error = match attempt.run(deadline) {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        let again = matches!(error.kind(), ErrorKind::LoginTerminated | ErrorKind::LoginTimeout);
        if !again {
            return Err(error.context(format!("logging in at {host} port {port}")));
        }
        tracing::trace!(%error, host, port, "no login yet");
        watch::rest(&mut attempt.watches, deadline.at_most(pause))?;
        pause = (pause * 2).min(LONGEST_PAUSE);
        if deadline.expired() {
            let output = error.output().unwrap_or_default().to_vec();
            let message = format!("no login at {host} port {port} within {}", seconds(given));
            return Err(Error::new(ErrorKind::LoginTimeout, message)
                .with_output(output)
                .caused_by(error));
        }
    }
}

/// What stays the same from one try to the next.
struct Attempt<'a> {
    host: &'a str,
    port: u16,
    params: &'a LoginParams,
    watches: Vec<Box<dyn Watch>>,
    log: Option<&'a Utf8Path>,
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long one try may take: under emulation, a key exchange alone takes seconds.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How long an ssh server is looked for before `ssh` itself is asked.
const LOOK: Duration = Duration::from_secs(5);

impl Attempt<'_> {
    fn run(&mut self, deadline: Deadline) -> Result<Session> {
        if self.params.client == Client::Ssh {
            tcp::wait_for_ssh(self.host, self.port, &mut self.watches, deadline.at_most(LOOK))?;
        }
        let deadline = deadline.at_most(ATTEMPT);
        let mut session = self.open(deadline)?;
        session.set_params(self.params);
        for watch in self.watches.drain(..) {
            session.add_watch(watch);
        }
        let result = Dialogue::new(&mut session, self.params, Place::Remote).run(deadline);
        match result {
            Ok(()) => Ok(session),
            Err(error) => {
                self.watches = session.expect.take_watches();
                Err(error)
            }
        }
    }

    fn open(&mut self, deadline: Deadline) -> Result<Session> {
        let name = format!("{}:{}", self.host, self.port);
        let timeout = deadline.remaining();
        if let Some(argv) = arguments(self.host, self.port, self.params, timeout) {
            return Session::spawn(&argv, &name, self.log);
        }
        let stream = tcp::connect_by(self.host, self.port, &mut self.watches, deadline)?;
        Session::over_tcp(stream, &name, self.log)
    }
}
