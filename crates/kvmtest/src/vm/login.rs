//! Sessions with a guest.

use std::sync::Arc;
use std::time::Duration;

use super::Vm;
use super::console::{self, Line};
use super::following::{Console, Network};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{LoginParams, Session, login};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(10);

impl Vm {
    /// Logs in by the way that `shell_client` names, once, within `timeout`. Of several ways
    /// (`serial ssh`) the first that is free is taken: a serial console has room for one.
    pub fn login(&self, timeout: Duration) -> Result<Session> {
        self.log_in(timeout.min(ATTEMPT))
    }

    /// Logs in, trying again until it works or `timeout` has passed. Fails at once, with the
    /// cause, when the machine dies, its guest panics, or says that it cannot boot.
    pub fn wait_for_login(&self, timeout: Duration) -> Result<Session> {
        self.log_in(timeout)
    }

    /// Logs in on the serial console, once, within `timeout`.
    pub fn serial_login(&self, timeout: Duration) -> Result<Session> {
        self.wait_for_serial_login(timeout.min(ATTEMPT))
    }

    /// Logs in on the serial console as soon as the guest is ready for it.
    pub fn wait_for_serial_login(&self, timeout: Duration) -> Result<Session> {
        let mut session = self
            .over_serial(Deadline::after(timeout))
            .map_err(|error| self.not_in(error, "on the serial console"))?;
        self.set_checkpoint(&mut session)?;
        Ok(session)
    }

    fn log_in(&self, timeout: Duration) -> Result<Session> {
        let _doing = doing::begin(format!("logging in to the VM `{}`", self.name()));
        let deadline = Deadline::after(timeout);
        let params = self.params();
        let ways: Vec<&str> = params.get_or("shell_client", "ssh").split_whitespace().collect();
        let busy = Line::of(&self.running()?).is_some();
        let way = *ways.iter().find(|way| **way != "serial" || !busy).ok_or_else(|| {
            Error::new(
                ErrorKind::LoginTerminated,
                format!(
                    "the serial console of the VM `{}` has a session already: close it, or name \
                     a second way in `shell_client` (`serial ssh`)",
                    self.name()
                ),
            )
        })?;
        let session = if way == "serial" {
            self.over_serial(deadline)
        } else {
            self.over_network(way, deadline)
        };
        let mut session = session.map_err(|error| self.not_in(error, &format!("over {way}")))?;
        self.set_checkpoint(&mut session)?;
        Ok(session)
    }

    pub(super) fn over_serial(&self, deadline: Deadline) -> Result<Session> {
        let _doing = doing::begin(format!("the serial console of the VM `{}`", self.name()));
        self.verify_process()?;
        let record = self.running()?;
        if Line::of(&record).is_some() {
            return Err(Error::new(
                ErrorKind::LoginTerminated,
                format!("the serial console of the VM `{}` has a session already", self.name()),
            ));
        }
        let line = Line::take(&record);
        // First: what happens from the moment of the connection on is not missed.
        let watches = self.watches(Some(Arc::clone(&line)))?;
        let process = self.process()?.ok_or_else(|| self.death())?;
        let stream = console::connect(&record)?;
        line.talks_by(&stream)?;
        let name = format!("{}-serial", self.name());
        let log = self.log_path(&format!("session-{name}.log"));
        let mut session = Session::over_unix(stream, &name, log.as_deref())?;
        for watch in watches {
            session.add_watch(watch);
        }
        let console = Console::new(self.handle(), line, &record, process);
        session.expect().set_follow(Box::new(console));
        let mut wanted = self.login_params("ssh")?;
        wanted.booting = self.is_booting();
        wanted.prompted = wanted.is_prompt_of(&console::last_shown(&record));
        login::serial(&mut session, &wanted, deadline)?;
        self.set_up();
        Ok(session)
    }

    pub(super) fn over_network(&self, client: &str, deadline: Deadline) -> Result<Session> {
        let wanted = self.login_params(client)?;
        self.verify_process()?;
        let record = self.running()?;
        let host = self.get_address(0)?;
        let port = self.get_port(wanted.guest_port(), 0)?;
        let log = self.log_path(&format!("session-{}-{client}.log", self.name()));
        let watches = self.watches(None)?;
        let process = self.process()?.ok_or_else(|| self.death())?;
        let mut session = login::remote(&host, port, &wanted, watches, log.as_deref(), deadline)?;
        let network = Network::new(self.handle(), client, &record, process);
        session.expect().set_follow(Box::new(network));
        Ok(session)
    }

    /// How to log in by one of the ways that `shell_client` lists.
    pub(super) fn login_params(&self, client: &str) -> Result<LoginParams> {
        let mut params = self.params();
        params.set("shell_client", client);
        LoginParams::from_params(&params)
    }

    fn verify_process(&self) -> Result<()> {
        if self.is_dead()? { Err(self.death()) } else { Ok(()) }
    }

    /// The error of a login that failed, with what explains a guest that says nothing.
    fn not_in(&self, error: Error, how: &str) -> Error {
        let is_late = error.kind() == ErrorKind::LoginTimeout;
        let state = if is_late && matches!(self.is_paused(), Ok(true)) {
            ", which is paused,"
        } else if is_late && matches!(self.is_suspended(), Ok(true)) {
            ", which sleeps,"
        } else {
            ""
        };
        error.context(format!("logging in to the VM `{}`{state} {how}", self.name()))
    }
}
