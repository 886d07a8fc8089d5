//! Who keeps this machine alive, and for how long.

use std::time::Duration;

use jiff::Timestamp;

use super::Vm;
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::lease::{self, Lease};

/// How long a machine that nobody holds stays: `vm_lease`.
const HOUR: Duration = Duration::from_secs(3600);

impl Vm {
    /// The lease that the machine lives under.
    pub fn lease(&self) -> Result<Lease> {
        let record = self.running()?;
        Lease::read(&record.instance.runtime)?.ok_or_else(|| self.has_none())
    }

    /// Whether the machine's guard was killed, so that nothing ends it when its lease is over; the
    /// next run does, and `kvmtest env gc`.
    pub fn is_unguarded(&self) -> Result<bool> {
        lease::is_unguarded(&self.running()?.instance.runtime)
    }

    /// Lets `holder` hold the machine, beside what time its lease has: that is renewed.
    pub fn hold(&self, holder: &ProcessId) -> Result<()> {
        self.change_lease(|lease| {
            lease.holder = Some(holder.clone());
            if lease.until.is_some() {
                lease.until = Some(self.lease_end()?);
            }
            Ok(())
        })
    }

    /// Lets go of the machine: nobody holds it, and it stays for as long as `vm_lease` says (an
    /// hour where it says nothing).
    pub fn release(&self) -> Result<()> {
        self.change_lease(|lease| {
            lease.holder = None;
            lease.until = Some(self.lease_end()?);
            Ok(())
        })
    }

    /// Begins the lease's time anew, if it has one: the machine is being used.
    pub fn renew(&self) -> Result<()> {
        self.change_lease(|lease| {
            if lease.until.is_some() {
                lease.until = Some(self.lease_end()?);
            }
            Ok(())
        })
    }

    /// Moves the machine from the environment `from` to `to`, where it stays for as long as
    /// `vm_lease` says, held by nobody.
    pub fn move_to(&self, from: &Env, to: &Env) -> Result<()> {
        // In this order there is no moment in which nobody knows it.
        to.register_vm(self)?;
        self.change_lease(|lease| {
            lease.env = Some(to.path().to_owned());
            lease.holder = None;
            lease.until = Some(self.lease_end()?);
            Ok(())
        })?;
        from.unregister_vm(self.name()).map(drop)
    }

    fn change_lease(&self, change: impl FnOnce(&mut Lease) -> Result<()>) -> Result<()> {
        let runtime = self.running()?.instance.runtime;
        Lease::change(&runtime, change)?.map(drop).ok_or_else(|| self.has_none())
    }

    fn has_none(&self) -> Error {
        Error::new(ErrorKind::VmDead, format!("the VM `{}` has no lease any more", self.name()))
    }

    fn lease_end(&self) -> Result<Timestamp> {
        let time = self.params().get_duration_or("vm_lease", HOUR)?;
        Ok(Timestamp::now().saturating_add(time).unwrap_or(Timestamp::MAX))
    }
}
