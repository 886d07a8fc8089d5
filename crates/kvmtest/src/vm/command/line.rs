//! The finished command line, and what it makes use of.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::script;
use super::uses::{ImageUse, MonitorUse, NicUse, RedirUse, SerialUse};

/// A command line. QEMU must be started with the instance directory as its working directory: the
/// sockets are relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLine {
    /// The program.
    pub program: Utf8PathBuf,
    /// The arguments, without the program.
    pub args: Vec<String>,
    /// Variables that the process needs besides its starter's.
    pub environment: Vec<(String, String)>,
    /// The images that are opened, in the guest's order.
    pub images: Vec<ImageUse>,
    /// The network interfaces, as `nics` lists them.
    pub nics: Vec<NicUse>,
    /// The monitors: the harness's first, then as `monitors` lists them.
    pub monitors: Vec<MonitorUse>,
    /// The serial ports, as `serials` lists them.
    pub serials: Vec<SerialUse>,
    /// The redirections that there are.
    pub redirs: Vec<RedirUse>,
    /// Every device model in use, for the check against the guest's drivers.
    pub models: Vec<String>,
    /// The machine's UUID, where it has one.
    pub uuid: Option<String>,
    /// The guest agent's socket, relative to the instance directory.
    pub agent: Option<String>,
    /// The socket of VNC or SPICE, relative to the instance directory.
    pub display: Option<String>,
    /// What the test device writes to.
    pub testdev_log: Option<Utf8PathBuf>,
    pub(super) scratch: Utf8PathBuf,
    pub(super) fingerprint: String,
}

impl CommandLine {
    /// Equal for two VMs that would be the same machine: it holds no directory of the instance, no
    /// generated MAC address or UUID, and not the state in which the machine starts.
    ///
    /// It is text, an option a line, so that a difference can be shown.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// The command as a shell script that starts the same machine by hand.
    ///
    /// Its sockets, logs and overlays lie in a new private directory, which the script removes at
    /// the end: a VM which is still running keeps its own, and what one that has ended had is
    /// gone. No image is written to.
    pub fn script(&self) -> String {
        script::script(self)
    }
}
