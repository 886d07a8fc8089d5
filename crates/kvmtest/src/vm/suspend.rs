//! A guest that sleeps: to memory, to disk, and awake again.

use std::time::Duration;

use serde_json::Value;

use super::Vm;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::guest::Os;
use crate::guest::sign::readable;
use crate::monitor::QmpMonitor;
use crate::session::Session;

/// What QEMU calls a machine that stood still when it was saved.
pub(super) const SENT: &str = "postmigrate";

/// How long a guest may take to say why it does not sleep.
const WORDS: Duration = Duration::from_millis(500);

impl Vm {
    /// Whether the guest's processors are [stopped](Self::pause).
    pub fn is_paused(&self) -> Result<bool> {
        let status = self.monitor()?.status()?;
        Ok(status == "paused" || status == SENT)
    }

    /// Whether the guest sleeps in its memory (S3).
    pub fn is_suspended(&self) -> Result<bool> {
        Ok(self.monitor()?.status()? == "suspended")
    }

    /// Whether the guest behind `session` says that it can suspend to memory:
    /// `can_suspend_command`. One of which nothing is known is said to.
    pub fn can_suspend_to_ram(&self, session: &mut Session) -> Result<bool> {
        let os = Os::of(&self.params());
        self.can(session, "can_suspend_command", os.can_suspend_command)
    }

    /// Whether the guest behind `session` says that it can suspend to disk, which takes swap:
    /// `can_hibernate_command`. One of which nothing is known is said to.
    pub fn can_suspend_to_disk(&self, session: &mut Session) -> Result<bool> {
        let os = Os::of(&self.params());
        self.can(session, "can_hibernate_command", os.can_hibernate_command)
    }

    /// Has the guest suspend to memory (S3), by `suspend_command` in `session`, and returns when
    /// it sleeps; all within `timeout`. Nobody answers in the session until the machine is
    /// [woken](Self::wake). Then the prompt comes, to be
    /// [waited for](Session::read_up_to_prompt_timeout): what is typed before may be lost.
    ///
    /// With QEMU 7.2 and its usual firmware, a `q35` that was woken has lost its power management:
    /// its guest neither sleeps nor powers off any more. A `pc` has not.
    pub fn suspend_to_ram(&self, session: &mut Session, timeout: Duration) -> Result<()> {
        let doing = format!("suspending the VM `{}` to memory", self.name());
        let _doing = doing::begin(doing.clone());
        let deadline = Deadline::after(timeout);
        self.verify_awake().with_context(|| doing.clone())?;
        if !self.can_suspend_to_ram(session)? {
            return Err(self.cannot("memory: it has no S3"));
        }
        let monitor = self.monitor()?;
        forget(&monitor, "SUSPEND")?;
        session.sendline(self.command("suspend_command", |os| os.suspend_command))?;
        self.wait_for(&monitor, "SUSPEND", deadline)
            .map_err(|error| in_its_words(session, error).context(doing))
    }

    /// Has the guest suspend to disk (S4), by `hibernate_command` in `session`, and returns when
    /// QEMU has ended; all within `timeout`. Where the machine's `shutdown_action` keeps QEMU, that
    /// is an error.
    pub fn suspend_to_disk(&self, session: &mut Session, timeout: Duration) -> Result<()> {
        let doing = format!("suspending the VM `{}` to disk", self.name());
        let _doing = doing::begin(doing.clone());
        let deadline = Deadline::after(timeout);
        self.verify_awake().with_context(|| doing.clone())?;
        if !self.can_suspend_to_disk(session)? {
            return Err(self.cannot("disk: it has no S4, or no swap to write its memory to"));
        }
        let monitor = self.monitor()?;
        forget(&monitor, "SUSPEND_DISK")?;
        self.expect_shutdown()?;
        session.sendline(self.command("hibernate_command", |os| os.hibernate_command))?;
        self.wait_for(&monitor, "SUSPEND_DISK", deadline)
            .map_err(|error| in_its_words(session, error).context(doing.clone()))?;
        if self.ends_within(deadline.remaining())? {
            return Ok(());
        }
        let message = format!("QEMU of the VM `{}` did not end, though its guest did", self.name());
        Err(Error::new(ErrorKind::VmDead, message).context(doing))
    }

    /// Wakes the guest up, as its power button would; what it sleeps in is memory.
    pub fn system_wakeup(&self) -> Result<()> {
        self.monitor()?.cmd("system_wakeup", Value::Null).map(drop)
    }

    /// Wakes the guest up and returns when its processors run; all within `timeout`.
    pub fn wake(&self, timeout: Duration) -> Result<()> {
        let doing = format!("waking the VM `{}`", self.name());
        let _doing = doing::begin(doing.clone());
        let deadline = Deadline::after(timeout);
        let monitor = self.monitor()?;
        forget(&monitor, "WAKEUP")?;
        let woken = self.system_wakeup().and_then(|()| {
            self.wait_for(&monitor, "WAKEUP", deadline)?;
            match &*monitor.status()? {
                "running" => Ok(()),
                status => Err(Error::new(
                    ErrorKind::Guest,
                    format!("the VM `{}` is awake, and {status} instead of running", self.name()),
                )),
            }
        });
        woken.map_err(|error| error.context(doing))
    }

    /// Refuses a guest that answers nobody, and would be waited for.
    fn verify_awake(&self) -> Result<()> {
        let message = match &*self.monitor()?.status()? {
            "suspended" => "the guest sleeps already",
            "paused" | SENT => "the machine is paused, so its guest does nothing: resume it first",
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Guest, message))
    }

    fn can(&self, session: &mut Session, key: &str, own: &str) -> Result<bool> {
        let params = self.params();
        match params.find_nonempty(key).unwrap_or(own) {
            "" => Ok(true),
            command => Ok(session.cmd_status(command)? == 0),
        }
    }

    fn cannot(&self, what: &str) -> Error {
        let message = format!("the guest of the VM `{}` cannot suspend to {what}", self.name());
        Error::new(ErrorKind::Guest, message)
    }

    fn command(&self, key: &str, own: impl Fn(&Os) -> &str) -> String {
        let params = self.params();
        params.find_nonempty(key).unwrap_or_else(|| own(Os::of(&params))).to_owned()
    }

    /// Waits for an event, and says how the machine died if it did.
    fn wait_for(&self, monitor: &QmpMonitor, name: &str, deadline: Deadline) -> Result<()> {
        let waited = monitor.wait_event(name, deadline.remaining()).map(drop);
        waited.map_err(|error| match self.is_dead() {
            Ok(true) => self.death(),
            _ => error,
        })
    }
}

/// An old event must not be taken for the one to come.
fn forget(monitor: &QmpMonitor, name: &str) -> Result<()> {
    while monitor.event(name).is_some() {
        monitor.wait_event(name, Duration::ZERO)?;
    }
    Ok(())
}

/// `error`, with what the guest said to the command that should have sent it to sleep.
fn in_its_words(session: &mut Session, error: Error) -> Error {
    let said = match session.read_nonblocking(Duration::from_millis(50), WORDS) {
        Ok(said) => readable(&said.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b' ')),
        Err(_) => return error,
    };
    if said.is_empty() { error } else { error.context(format!("the guest says `{said}`")) }
}
