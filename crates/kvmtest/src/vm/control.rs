//! What can be done to a living machine from outside.

use std::time::Duration;

use serde_json::{Value, json};

use super::Vm;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::session::Session;

/// How a machine is made to start again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebootMethod {
    /// By the guest: `reboot_command`.
    Shell,
    /// By the machine: the reset button.
    SystemReset,
}

impl std::str::FromStr for RebootMethod {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "shell" => Ok(Self::Shell),
            "system_reset" => Ok(Self::SystemReset),
            _ => Err(Error::new(
                ErrorKind::Params,
                format!("a reboot method is `shell` or `system_reset`: `{text}`"),
            )),
        }
    }
}

impl Vm {
    /// Stops the guest's processors.
    pub fn pause(&self) -> Result<()> {
        self.monitor()?.cmd("stop", Value::Null).map(drop)
    }

    /// Lets them run again.
    pub fn resume(&self) -> Result<()> {
        self.monitor()?.cmd("cont", Value::Null).map(drop)
    }

    /// Presses the reset button.
    pub fn system_reset(&self) -> Result<()> {
        self.monitor()?.cmd("system_reset", Value::Null).map(drop)
    }

    /// Presses the power button; the guest decides what that means.
    pub fn system_powerdown(&self) -> Result<()> {
        self.expect_shutdown()?;
        self.monitor()?.cmd("system_powerdown", Value::Null).map(drop)
    }

    /// Reboots the guest and logs in again; all within `timeout`. `session` is where
    /// `reboot_command` is given; it ends with the guest that it belonged to.
    pub fn reboot(
        &self,
        mut session: Session,
        method: RebootMethod,
        timeout: Duration,
    ) -> Result<Session> {
        let _doing = doing::begin(format!("rebooting the VM `{}`", self.name()));
        let deadline = crate::Deadline::after(timeout);
        let monitor = self.monitor()?;
        // An old RESET must not be taken for the one to come.
        while monitor.event("RESET").is_some() {
            monitor.wait_event("RESET", Duration::ZERO)?;
        }
        let offset = self.console_length()?;
        self.expect_reset()?;
        match method {
            RebootMethod::Shell => {
                let params = self.params();
                let command = params.get("reboot_command")?;
                session.sendline(command)?;
            }
            RebootMethod::SystemReset => self.system_reset()?,
        }
        monitor.wait_event("RESET", deadline.remaining()).map_err(|error| {
            match self.is_dead() {
                Ok(true) => self.death(),
                _ => error,
            }
            .context(format!("rebooting the VM `{}`", self.name()))
        })?;
        session.close();
        drop(session);
        self.set_booting(offset);
        self.wait_for_login(deadline.remaining())
            .with_context(|| format!("logging in to the VM `{}` after its reboot", self.name()))
    }

    /// Presses keys together: `ret`, `ctrl-alt-f1`.
    pub fn send_key(&self, keys: &str) -> Result<()> {
        let keys: Vec<Value> =
            keys.split('-').map(|key| json!({ "type": "qcode", "data": key })).collect();
        self.monitor()?.cmd("send-key", json!({ "keys": keys })).map(drop)
    }
}
