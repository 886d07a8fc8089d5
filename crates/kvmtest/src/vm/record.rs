//! What the env file keeps of a running machine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::CommandLine;
use super::instance::Instance;
use crate::host::ProcessId;
use crate::params::Params;

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
    /// From where on its console's log belongs to the present test.
    #[serde(default)]
    pub console_offset: u64,
}
