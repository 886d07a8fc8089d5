//! What one incarnation of a machine has for itself, whatever its parameters say.

use super::command::{CommandLine, Layers, MemoryFile};
use super::record::Restored;
use super::transition::{Otherwise, Transition};
use super::{Instance, Record};
use crate::error::Result;

/// How a machine comes into being this time.
pub(super) struct Incarnation {
    pub(super) instance: Instance,
    /// What its addresses grow from.
    pub(super) seed: String,
    pub(super) memory: Option<MemoryFile>,
    pub(super) layers: Option<Layers>,
    /// It does not boot: it waits until it is told where its state comes from.
    pub(super) waits: bool,
    /// It does not run by itself when it has its state.
    pub(super) stands: bool,
    /// Whether QEMU is to refuse what cannot be saved.
    pub(super) migratable: bool,
    /// The instances that it was before.
    pub(super) ancestors: Vec<String>,
    /// The saved machine that it is set back to, or was before it moved.
    pub(super) restored: Option<Restored>,
}

impl Incarnation {
    /// One of the machine `vm` that boots.
    pub(super) fn booting(vm: &str) -> Result<Self> {
        let instance = Instance::make(vm)?;
        let seed = instance.id.clone();
        Ok(Self::in_place(instance, &seed))
    }

    /// One that nobody starts, whose command line is wanted alone.
    pub(super) fn nowhere() -> Self {
        let instance = Instance {
            id: "state".into(),
            runtime: "/INSTANCE".into(),
            scratch: "/SCRATCH".into(),
        };
        Self::in_place(instance, "state")
    }

    /// The present one of the machine of `record`, as if it had booted.
    pub(super) fn of(record: &Record) -> Self {
        Self::in_place(record.instance.clone(), record.seed())
    }

    /// One that boots in `instance`.
    pub(super) fn in_place(instance: Instance, seed: &str) -> Self {
        Self {
            instance,
            seed: seed.to_owned(),
            memory: None,
            layers: None,
            waits: false,
            stands: false,
            migratable: false,
            ancestors: Vec::new(),
            restored: None,
        }
    }

    /// One that the machine of `record` moves to: the same machine with the same addresses, on
    /// the same disks.
    pub(super) fn after(record: &Record) -> Result<Self> {
        let instance = Instance::make(&record.name)?;
        let mut ancestors = record.ancestors.clone();
        ancestors.push(record.instance.id.clone());
        let memory = record
            .memory
            .as_ref()
            .filter(|memory| memory.share)
            .map(|_| MemoryFile { path: instance.memory(), share: true });
        Ok(Self {
            instance,
            seed: record.seed().to_owned(),
            memory,
            layers: record.layers.clone(),
            waits: true,
            stands: true,
            migratable: false,
            ancestors,
            restored: record.restored.clone(),
        })
    }

    /// What is to be told of it as long as it is not the machine that somebody wants.
    pub(super) fn half_made(&self) -> Result<Option<Transition>> {
        let what = if self.migratable {
            "making a state with it"
        } else if self.waits {
            "starting it from what was saved"
        } else {
            return Ok(None);
        };
        Transition::begin(what, Otherwise::Ends, Vec::new()).map(Some)
    }

    /// What QEMU is told besides the machine's own command line.
    pub(super) fn arguments(&self, line: &CommandLine) -> Vec<String> {
        let mut arguments = line.args.clone();
        if self.stands {
            arguments.push("-S".to_owned());
        }
        if self.migratable {
            arguments.push("-only-migratable".to_owned());
        }
        arguments
    }
}

impl Record {
    /// What the machine's addresses grow from.
    pub(super) fn seed(&self) -> &str {
        self.seed.as_deref().unwrap_or(&self.instance.id)
    }
}
