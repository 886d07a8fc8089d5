//! Who keeps a machine alive.
//!
//! A VM outlives the test that started it, so no destructor can end it. It lives under a *lease*
//! instead: as long as the lease's holder (a run) is alive, or until a point in time. A *guard*,
//! a tiny process that started QEMU and watches both, destroys the VM and removes its
//! directories when neither holds any more; SIGKILL at any place leaks nothing.

mod guard;
mod kill;
mod start;

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use guard::serve as serve_guard;
pub(crate) use kill::kill_qemu;
pub use start::find_program_by;
pub(crate) use start::{Start, program, start};

use crate::document;
use crate::error::Result;
use crate::host::ProcessId;
use crate::vm::Instance;

const VERSION: u32 = 1;
const LEASE: &str = "lease.json";
const QEMU: &str = "qemu.json";
pub(crate) const EXIT: &str = "exit.json";

/// Why a machine may live. It may as long as any one of the reasons holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub(crate) version: u32,
    /// The VM's name, for people.
    pub vm: String,
    /// The directories that go with it.
    pub instance: Instance,
    /// The env file that knows the VM.
    pub env: Option<camino::Utf8PathBuf>,
    /// Holds while this process lives.
    pub holder: Option<ProcessId>,
    /// Holds until then.
    pub until: Option<Timestamp>,
}

/// How QEMU ended, as the guard saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    version: u32,
    /// Its exit status, if it ended by itself.
    pub status: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
}

/// The QEMU process of an instance, as the guard started it.
#[derive(Serialize, Deserialize)]
struct Qemu {
    version: u32,
    process: ProcessId,
    #[serde(default)]
    guard: Option<ProcessId>,
}

impl Lease {
    /// A lease that `holder` holds.
    pub fn held(vm: &str, instance: &Instance, env: Option<&Utf8Path>, holder: ProcessId) -> Self {
        Self {
            version: VERSION,
            vm: vm.to_owned(),
            instance: instance.clone(),
            env: env.map(Utf8Path::to_owned),
            holder: Some(holder),
            until: None,
        }
    }

    /// The lease of the instance whose runtime directory this is, if it has one.
    pub fn read(runtime: &Utf8Path) -> Result<Option<Self>> {
        document::read(&runtime.join(LEASE), VERSION)
    }

    /// Puts the lease in force; the guard sees it at once.
    pub fn write(&self) -> Result<()> {
        document::write(&self.instance.runtime.join(LEASE), self)
    }

    /// Whether its time alone keeps the machine alive.
    pub fn lasts(&self) -> bool {
        self.until.is_some_and(|until| Timestamp::now() < until)
    }

    /// Whether a run holds it now.
    pub fn is_in_use(&self) -> bool {
        self.holder_lives()
    }

    /// How long it lasts if nobody holds it; `None` if that is no time at all.
    pub fn time_left(&self) -> Option<std::time::Duration> {
        std::time::Duration::try_from(Timestamp::now().until(self.until?).ok()?).ok()
    }

    fn holder_lives(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.is_alive().unwrap_or(false))
    }

    /// Whether anything keeps the machine alive.
    pub fn holds(&self) -> bool {
        self.lasts() || self.holder_lives()
    }
}

/// The QEMU process of the instance whose runtime directory this is, if it was started.
pub fn qemu_of(runtime: &Utf8Path) -> Result<Option<ProcessId>> {
    let qemu: Option<Qemu> = document::read(&runtime.join(QEMU), VERSION)?;
    Ok(qemu.map(|qemu| qemu.process))
}

/// Whether the guard of the instance whose runtime directory this is was killed: nothing ends the
/// machine by itself any more. No, where nothing is known of it.
pub fn is_unguarded(runtime: &Utf8Path) -> Result<bool> {
    let qemu: Option<Qemu> = document::read(&runtime.join(QEMU), VERSION)?;
    match qemu.and_then(|qemu| qemu.guard) {
        Some(guard) => guard.is_alive().map(|lives| !lives),
        None => Ok(false),
    }
}

/// How the QEMU of this instance ended, if its guard saw it.
pub fn exit_of(runtime: &Utf8Path) -> Result<Option<Exit>> {
    document::read(&runtime.join(EXIT), VERSION)
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.status, self.signal) {
            (Some(status), _) => write!(f, "ended with exit status {status}"),
            (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
                Some(name) => write!(f, "was killed by {name}"),
                None => write!(f, "was killed by signal {signal}"),
            },
            (None, None) => f.write_str("ended"),
        }
    }
}
