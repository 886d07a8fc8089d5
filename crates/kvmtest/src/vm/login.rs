//! Sessions with a guest.

use std::sync::Arc;
use std::time::Duration;

use super::Vm;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
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
        self.over_serial(Deadline::after(timeout.min(ATTEMPT)))
            .with_context(|| self.logging_in("on the serial console"))
    }

    /// Logs in on the serial console as soon as the guest is ready for it.
    pub fn wait_for_serial_login(&self, timeout: Duration) -> Result<Session> {
        self.over_serial(Deadline::after(timeout))
            .with_context(|| self.logging_in("on the serial console"))
    }

    fn log_in(&self, timeout: Duration) -> Result<Session> {
        let _doing = doing::begin(format!("logging in to the VM `{}`", self.name()));
        let deadline = Deadline::after(timeout);
        let params = self.params();
        let ways: Vec<&str> = params.get_or("shell_client", "ssh").split_whitespace().collect();
        let key = self.running()?.instance.id;
        let busy = self.home.consoles.get(&key).is_some();
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
        session.with_context(|| self.logging_in(&format!("over {way}")))
    }

    fn over_serial(&self, deadline: Deadline) -> Result<Session> {
        let _doing = doing::begin(format!("the serial console of the VM `{}`", self.name()));
        let record = self.running()?;
        let serial = record.line.serials.first().ok_or_else(|| {
            Error::new(
                ErrorKind::LoginTerminated,
                format!("the VM `{}` has no serial console", self.name()),
            )
        })?;
        let key = record.instance.id.clone();
        if self.home.consoles.get(&key).is_some() {
            return Err(Error::new(
                ErrorKind::LoginTerminated,
                format!("the serial console of the VM `{}` has a session already", self.name()),
            ));
        }
        self.verify_process()?;
        let token = Arc::new(());
        self.home.consoles.put(key, &token);
        // First: what happens from the moment of the connection on is not missed.
        let watches = self.watches(Some(token))?;
        let stream = record.instance.connect(&serial.socket)?;
        let name = format!("{}-serial", self.name());
        let log = self.log_path(&format!("session-{name}.log"));
        let mut session = Session::over_unix(stream, &name, log.as_deref())?;
        for watch in watches {
            session.add_watch(watch);
        }
        let mut wanted = self.login_params("ssh")?;
        wanted.booting = self.is_booting();
        login::serial(&mut session, &wanted, deadline)?;
        self.set_up();
        Ok(session)
    }

    fn over_network(&self, client: &str, deadline: Deadline) -> Result<Session> {
        let wanted = self.login_params(client)?;
        self.verify_process()?;
        let host = self.get_address(0)?;
        let port = self.get_port(wanted.guest_port(), 0)?;
        let log = self.log_path(&format!("session-{}-{client}.log", self.name()));
        let watches = self.watches(None)?;
        login::remote(&host, port, &wanted, watches, log.as_deref(), deadline)
    }

    /// How to log in by one of the ways that `shell_client` lists.
    fn login_params(&self, client: &str) -> Result<LoginParams> {
        let mut params = self.params();
        params.set("shell_client", client);
        LoginParams::from_params(&params)
    }

    fn verify_process(&self) -> Result<()> {
        if self.is_dead()? { Err(self.death()) } else { Ok(()) }
    }

    fn logging_in(&self, how: &str) -> String {
        format!("logging in to the VM `{}` {how}", self.name())
    }
}
