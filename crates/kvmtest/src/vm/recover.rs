//! A machine is found in the middle of something, and whoever did that is dead: it is made whole.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::save::Draft;
use super::transition::{Otherwise, Transition};
use super::{Instance, Record, Vm};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::lease::{self, Lease};
use crate::lock::Lock;
use crate::migration;
use crate::monitor::QmpMonitor;

/// How long QEMU may take to be where it can go on; a disk may be slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one of its monitors may take to greet: another one may be free.
const GREETING: Duration = Duration::from_secs(2);

/// While somebody is at it.
const LOCK: &str = "recovery.lock";

impl Vm {
    /// Makes the machine whole if somebody has left it in the middle of something: lets QEMU
    /// come to rest, ends what was only half made of it, and lets it run if it ran before. One
    /// that is itself only half made ends. What was found is logged as a warning.
    ///
    /// `again` tries what somebody has tried in vain.
    pub(crate) fn recover(&self, again: bool) -> Result<()> {
        let Some(record) = self.record() else { return Ok(()) };
        let id = &record.instance.id;
        let find = || -> Result<Option<Transition>> {
            let known = self.home.file.read()?.transitions.remove(id);
            Ok(known.filter(|found| found.is_abandoned() && (again || !found.is_given_up)))
        };
        if find()?.is_none() {
            return Ok(());
        }
        let _doing = doing::begin(format!("setting the VM `{}` right", self.name()));
        let Some(_lock) = lock(&record.instance)? else { return Ok(()) };
        // Somebody else may have been faster.
        let Some(found) = find()? else { return Ok(()) };
        let after = format!(
            "{} began {} at {} and is dead",
            found.by,
            found.what,
            found.since.strftime("%FT%TZ")
        );
        let result = self.set_right(&record, &found);
        let is_settled = result.is_ok();
        self.home.file.update(|content| {
            if is_settled {
                content.transitions.remove(id);
            } else if let Some(transition) = content.transitions.get_mut(id) {
                transition.is_given_up = true;
            }
        })?;
        match &result {
            Ok(done) => tracing::warn!("the VM `{}`: {after}; {done}", self.name()),
            Err(error) => {
                tracing::warn!(
                    "the VM `{}`: {after}; it could not be set right: {error}",
                    self.name()
                );
            }
        }
        result.map(drop).context(after)
    }

    /// Says what was done.
    fn set_right(&self, record: &Record, found: &Transition) -> Result<String> {
        let mut done = Vec::new();
        for other in &found.others {
            if other.end()? {
                done.push("a QEMU that is not it was ended");
            }
        }
        if record.process.open()?.is_none() {
            done.push("it is dead, too");
        } else if found.otherwise == Otherwise::Ends {
            self.destroy(false)?;
            done.push("it was not complete, and was ended");
        } else {
            self.let_go_on(found, &mut done)?;
        }
        if let Some(path) = &found.saved {
            match Draft::settle(path) {
                Ok(what) => done.extend(what),
                // It concerns no machine, and whoever saves there next tries again.
                Err(error) => tracing::warn!("what was to be saved in {path} stays: {error}"),
            }
        }
        Ok(done.join("; "))
    }

    fn let_go_on(&self, found: &Transition, done: &mut Vec<&str>) -> Result<()> {
        let monitor = self.any_monitor()?;
        let ended = migration::abandon(&monitor, Deadline::after(PATIENCE))?;
        if ended.was_cancelled {
            done.push("its migration was cancelled");
        }
        if found.runs_there && (ended.figures.postcopy || ended.figures.status == "completed") {
            drop(monitor);
            self.destroy(false)?;
            done.push("it had gone on in one that is lost, and was ended");
            return Ok(());
        }
        match (found.otherwise, &*monitor.status()?) {
            (Otherwise::Runs, "paused" | "postmigrate" | "finish-migrate") => {
                monitor.cmd("cont", Value::Null)?;
                done.push("it was paused, and runs again");
            }
            (Otherwise::Runs, _) => done.push("it was not paused"),
            _ => done.push("it stays paused, as it was before"),
        }
        Ok(())
    }

    /// A monitor that answers: whoever is gone may not have been the only one with a connection.
    fn any_monitor(&self) -> Result<Arc<QmpMonitor>> {
        let first = self.monitor_by(Deadline::after(GREETING));
        let Err(error) = first else { return first };
        if error.kind() == ErrorKind::Interrupted {
            return Err(error);
        }
        let monitors = self.running()?.line.monitors;
        let mut rest = monitors
            .iter()
            .map(|monitor| self.monitor_named_by(&monitor.name, Deadline::after(GREETING)));
        rest.find_map(Result::ok).ok_or(error)
    }
}

/// The lock of whoever sets a machine right; none if it is gone.
fn lock(instance: &Instance) -> Result<Option<Lock>> {
    match Lock::wait(&instance.runtime.join(LOCK), Deadline::after(PATIENCE)) {
        // Who wants a lock makes the directory that it is to be in.
        Ok(Some(lock)) if !Lease::is_there(&instance.runtime) => {
            drop(lock);
            let _ = std::fs::remove_dir(&instance.runtime);
            Ok(None)
        }
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => {
            let message = format!("somebody else has been at it for {PATIENCE:?}");
            Err(Error::new(ErrorKind::VmMissing, message))
        }
        Err(_) if !instance.runtime.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

impl Instance {
    /// Ends its QEMU, without a word, and removes its directories; says whether there was any.
    fn end(&self) -> Result<bool> {
        let there = self.runtime.exists();
        lease::kill_qemu(&self.runtime)?;
        self.remove();
        Ok(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_anew_what_was_removed_before_he_had_the_lock() {
        let place = tempfile::tempdir().expect("a directory");
        let runtime = camino::Utf8PathBuf::from_path_buf(place.path().join("vm1")).expect("UTF-8");
        let instance =
            Instance { id: "vm1".into(), runtime: runtime.clone(), scratch: runtime.clone() };
        assert!(lock(&instance).expect("no error").is_none());
        assert!(!runtime.exists());
    }
}
