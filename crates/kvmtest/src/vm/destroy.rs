//! Ends a machine: asks the guest, then QEMU, then the kernel.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::process::{Signal, pidfd_send_signal};
use serde_json::Value;

use super::Vm;
use crate::deadline::Deadline;
use crate::doing;
use crate::env;
use crate::error::{Error, ErrorKind, Result};
use crate::wait;

const LOGIN: Duration = Duration::from_secs(10);
const GUEST: Duration = Duration::from_secs(60);
const QUIT: Duration = Duration::from_secs(5);
const KILL: Duration = Duration::from_secs(5);

impl Vm {
    /// Ends the machine and removes all that it had. With `gracefully`, the guest's own
    /// `shutdown_command` is tried first, and given a minute; then QEMU is told to quit; what
    /// is still there after five seconds is killed. A dead machine is cleaned up after.
    pub fn destroy(&self, gracefully: bool) -> Result<()> {
        // Where it is now, if somebody has moved it.
        self.process()?;
        let Some(record) = self.record() else { return Ok(()) };
        let _doing = doing::begin(format!("ending the VM `{}`", self.name()));
        if let Some(process) = record.process.open()? {
            let ended = (gracefully && self.shut_guest_down()?) || self.quit()?;
            if !ended {
                tracing::warn!("killing QEMU of the VM `{}`: it did not quit", self.name());
                self.kill_process(process.as_fd())?;
            }
        }
        self.forget()
    }

    /// Kills QEMU (SIGKILL) and asks nobody. What the machine had stays, for whoever uses it to
    /// see that it died, and how.
    pub fn kill(&self) -> Result<()> {
        match self.process()? {
            Some(process) => self.kill_process(process.as_fd()),
            None => Ok(()),
        }
    }

    fn kill_process(&self, process: BorrowedFd<'_>) -> Result<()> {
        // What ended just now takes no signal.
        let _ = pidfd_send_signal(process, Signal::KILL);
        let [ended] = wait::readable([process], Deadline::after(KILL))?;
        if ended {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::VmDead,
            format!("QEMU of the VM `{}` survives SIGKILL", self.name()),
        ))
    }

    /// Ends QEMU at once, and leaves everything else as it is.
    pub(super) fn end_process(&self) -> Result<()> {
        let Some(record) = self.record() else { return Ok(()) };
        if let Some(process) = record.process.open()?
            && !self.quit()?
        {
            self.kill_process(process.as_fd())?;
        }
        Ok(())
    }

    /// Ends a machine that nobody but this handle knows of, with all that it had.
    pub(super) fn discard(&self) {
        let Some(record) = self.record() else { return };
        // Its directory's end ends it, too.
        if let Ok(Some(process)) = record.process.open() {
            let _ = self.kill_process(process.as_fd());
        }
        self.state().running = None;
        record.instance.remove();
    }

    /// Removes what a dead machine left, its entry in the env file included.
    pub(crate) fn forget(&self) -> Result<()> {
        let Some(record) = self.record() else { return Ok(()) };
        self.keep_logs();
        self.state().running = None;
        record.instance.remove();
        env::forget(self.home.file.path(), self.name(), &record.instance.id)
    }

    /// Whether the guest could be told, and ended.
    fn shut_guest_down(&self) -> Result<bool> {
        let Some(command) = self.params().find_nonempty("shutdown_command").map(str::to_owned)
        else {
            return Ok(false);
        };
        let told = self.login(LOGIN).and_then(|mut session| {
            session.sendline(&command)?;
            Ok(session)
        });
        match told {
            // A session that is closed now takes with it what the guest has not read yet.
            Ok(_session) => {
                let ended = self.ends_within(GUEST)?;
                if !ended {
                    tracing::warn!("`{command}` did not end `{}` in {GUEST:?}", self.name());
                }
                Ok(ended)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                tracing::info!("no graceful shutdown of `{}`: {error}", self.name());
                Ok(false)
            }
        }
    }

    fn quit(&self) -> Result<bool> {
        let told = self
            .monitor_by(Deadline::after(QUIT))
            .and_then(|monitor| monitor.cmd_timeout("quit", Value::Null, QUIT));
        match told {
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            // A monitor that ends while it is told to end has understood; one that cannot be
            // reached has not, and there is nothing to wait for.
            Err(error) if error.kind() == ErrorKind::MonitorTimeout => Ok(false),
            Ok(_) | Err(_) => self.ends_within(QUIT),
        }
    }
}
