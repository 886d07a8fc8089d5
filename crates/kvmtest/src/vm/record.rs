//! What the env file keeps of a running machine.

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{CommandLine, Layers, MemoryFile};
use super::instance::Instance;
use crate::host::ProcessId;
use crate::params::Params;
use crate::state;

/// One incarnation of a VM: enough for another process to take it over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The VM's name.
    pub name: String,
    /// Its directories.
    pub instance: Instance,
    /// Its QEMU process.
    pub process: ProcessId,
    /// What was made of the parameters: the command that it was started with.
    pub line: CommandLine,
    /// `kvm` or `tcg`.
    pub accel: String,
    /// The parameters.
    pub params: Params,
    /// When it was started.
    pub created: Timestamp,
    /// What its addresses grow from, where that is not the name of its instance.
    #[serde(default)]
    pub(super) seed: Option<String>,
    /// The instances that the machine was before it moved here.
    #[serde(default)]
    pub ancestors: Vec<String>,
    /// The saved machine that it was set back to.
    #[serde(default)]
    pub restored: Option<Restored>,
    /// The file that is its memory, if it is one.
    #[serde(default)]
    pub memory: Option<MemoryFile>,
    /// The layers below its disks, if no image is written to.
    #[serde(default)]
    pub layers: Option<Layers>,
    /// The state that it was started from.
    #[serde(default)]
    pub state: Option<state::Origin>,
    /// Whether a test may have changed its guest ([`Vm::soil`](super::Vm::soil)).
    #[serde(default)]
    pub soiled: bool,
    /// Whether somebody was in its guest by hand ([`Vm::enter_by_hand`](super::Vm::enter_by_hand)).
    #[serde(default)]
    pub entered: bool,
    /// Whether its guest was up when it came here: it was saved so, or moved.
    #[serde(default)]
    pub(super) up: bool,
    /// What starts the like of it by hand, where `line` cannot: that is of a machine that came
    /// into being otherwise than by booting.
    #[serde(default)]
    pub(super) by_hand: Option<CommandLine>,
    /// From where on its console's log belongs to the present test.
    #[serde(default)]
    pub console_offset: u64,
}

/// A saved machine that another one was set back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Its file.
    pub path: Utf8PathBuf,
    /// The instances that the machine was before that: whoever was connected to one of them may
    /// begin anew.
    pub before: Vec<String>,
}

impl Record {
    /// Whether this is the machine that `other` was, elsewhere.
    pub fn descends_from(&self, other: &Self) -> bool {
        self.name == other.name && self.ancestors.contains(&other.instance.id)
    }

    /// The saved machine that this one was set back to after it had been the instance `id`.
    pub(super) fn restored_since(&self, id: &str) -> Option<&Restored> {
        self.restored.as_ref().filter(|restored| restored.before.iter().any(|was| was == id))
    }

    /// The instances that the machine was until now.
    pub(super) fn history(&self) -> Vec<String> {
        let before = self.restored.iter().flat_map(|restored| &restored.before);
        before.chain(&self.ancestors).chain([&self.instance.id]).cloned().collect()
    }
}
