//! What is being done with a machine while it stands still, as the env file tells it: whoever
//! does it may be killed, and whoever finds the machine then has to know what to do with it.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Instance, Vm};
use crate::error::Result;
use crate::host::ProcessId;

/// A machine is on its way from one state to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transition {
    /// What is being done: `migrating it`.
    pub(super) what: String,
    /// Whose work it is.
    pub(super) by: ProcessId,
    /// Since when.
    pub(super) since: Timestamp,
    /// What becomes of the machine when nobody goes on with that.
    pub(super) otherwise: Otherwise,
    /// What is none of the machine's then, and has to end: where it should have gone, or has come
    /// from.
    pub(super) others: Vec<Instance>,
    /// Where the machine is being saved, if it is.
    #[serde(default)]
    pub(super) saved: Option<Utf8PathBuf>,
    /// Whether the guest may have run in one of the others before this is over, so that there is
    /// no way back from there.
    #[serde(default)]
    pub(super) runs_there: bool,
    /// Whether somebody has tried to set it right, in vain.
    #[serde(default)]
    pub(super) is_given_up: bool,
}

/// What becomes of a machine that somebody has left in the middle of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Otherwise {
    /// It runs, as it did before.
    Runs,
    /// It stays paused, as it was before.
    Stays,
    /// It ends: it is not yet what it is to be.
    Ends,
}

impl Otherwise {
    /// For a machine that ran before, or did not.
    pub(super) fn of(ran: bool) -> Self {
        if ran { Self::Runs } else { Self::Stays }
    }
}

impl Transition {
    /// This process does `what` from now on.
    pub(super) fn begin(what: &str, otherwise: Otherwise, others: Vec<Instance>) -> Result<Self> {
        Ok(Self {
            what: what.to_owned(),
            by: ProcessId::own()?,
            since: Timestamp::now(),
            otherwise,
            others,
            saved: None,
            runs_there: false,
            is_given_up: false,
        })
    }

    /// Whether nobody goes on with it: whoever began is dead.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.by.is_alive().is_ok_and(|lives| !lives)
    }

    /// Whether somebody has tried to set it right, in vain.
    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up
    }

    /// The machine, which was `from`, is `to` from now on.
    pub(super) fn go_over(&mut self, from: &Instance, to: &Instance) {
        self.others.retain(|other| other != to);
        self.others.push(from.clone());
        self.runs_there = false;
    }
}

impl Vm {
    /// Tells the env file of what begins now, until the result is dropped.
    pub(super) fn begin_transition(&self, mut transition: Transition) -> Result<Underway<'_>> {
        let id = self.running_now()?.instance.id;
        let before = self.home.file.update(|content| {
            let before = content.transitions.get(&id).filter(|was| was.by == transition.by);
            let before = before.cloned();
            // It may be part of something larger, of which nothing is left without this.
            if let Some(before) = before.as_ref().filter(|was| was.otherwise == Otherwise::Ends) {
                transition.what.clone_from(&before.what);
                transition.otherwise = Otherwise::Ends;
            }
            content.transitions.insert(id, transition);
            before
        })?;
        Ok(Underway { vm: self, before })
    }
}

/// Something is being done with a machine; over when this is dropped.
#[must_use = "it is over when this is dropped"]
pub(super) struct Underway<'a> {
    vm: &'a Vm,
    /// What it is part of.
    before: Option<Transition>,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        // Then nobody has gone on with it, and it is left to who comes after this process.
        if std::thread::panicking() {
            return;
        }
        let Some(record) = self.vm.record() else { return };
        let (id, before) = (record.instance.id, self.before.take());
        let told = self.vm.home.file.update(|content| match before {
            Some(before) => drop(content.transitions.insert(id, before)),
            None => drop(content.transitions.remove(&id)),
        });
        if let Err(error) = told {
            tracing::warn!("the env file still tells of what is over: {error}");
        }
    }
}
