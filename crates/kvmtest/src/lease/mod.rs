//! Who keeps a machine alive.
//!
//! A VM outlives the test that started it, so no destructor can end it. It lives under a *lease*
//! instead: as long as the lease's holder (a run) is alive, or until a point in time. A *guard*,
//! a tiny process that started QEMU and watches both, destroys the VM and removes its
//! directories when neither holds any more; SIGKILL at any place leaks nothing.

mod guard;
mod kill;
mod start;

use std::fs::File;

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use guard::serve as serve_guard;
pub(crate) use kill::kill_qemu;
pub use start::find_program_by;
pub(crate) use start::{Start, program, start};

use crate::document;
use crate::error::{Context, Result};
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

    /// Whether there is one in this directory, which any has whose instance is not gone.
    pub(crate) fn is_there(runtime: &Utf8Path) -> bool {
        runtime.join(LEASE).exists()
    }

    /// Reads the lease of the instance whose runtime directory this is, changes it and puts it in
    /// force; nobody else does meanwhile. None, if it has no lease any more.
    pub(crate) fn change(
        runtime: &Utf8Path,
        change: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Option<Self>> {
        let Some(_alone) = alone(runtime)? else { return Ok(None) };
        let Some(mut lease) = Self::read(runtime)? else { return Ok(None) };
        change(&mut lease)?;
        lease.write()?;
        Ok(Some(lease))
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

/// Keeps others from changing the lease in this directory, and its guard from ending the machine,
/// as long as the file is open; none, if the directory is gone.
fn alone(runtime: &Utf8Path) -> Result<Option<File>> {
    let doing = || format!("locking {runtime}");
    match File::open(runtime) {
        Ok(directory) => directory.lock().map(|()| Some(directory)).with_context(doing),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(doing),
    }
}

/// The QEMU process of the instance whose runtime directory this is, if it was started.
pub fn qemu_of(runtime: &Utf8Path) -> Result<Option<ProcessId>> {
    let qemu: Option<Qemu> = document::read(&runtime.join(QEMU), VERSION)?;
    Ok(qemu.map(|qemu| qemu.process))
}

/// The guard of the instance whose runtime directory this is, if one is known.
pub(crate) fn guard_of(runtime: &Utf8Path) -> Result<Option<ProcessId>> {
    let qemu: Option<Qemu> = document::read(&runtime.join(QEMU), VERSION)?;
    Ok(qemu.and_then(|qemu| qemu.guard))
}

/// Whether the guard of the instance whose runtime directory this is was killed: nothing ends the
/// machine by itself any more. No, where nothing is known of it.
pub fn is_unguarded(runtime: &Utf8Path) -> Result<bool> {
    match guard_of(runtime)? {
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

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn nothing_is_lost_of_what_several_change_at_one_time() {
        let place = tempfile::tempdir().expect("a directory");
        let runtime = Utf8PathBuf::from_path_buf(place.path().into()).expect("UTF-8");
        let instance = Instance { id: "x".into(), scratch: runtime.clone(), runtime };
        let own = ProcessId::own().expect("we live");
        Lease::held("", &instance, None, own).write().expect("written");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let longer = |lease: &mut Lease| {
                            lease.vm.push('+');
                            Ok(())
                        };
                        Lease::change(&instance.runtime, longer).expect("changed").expect("there");
                    }
                });
            }
        });
        let lease = Lease::read(&instance.runtime).expect("read").expect("there");
        assert_eq!(lease.vm.len(), 200);
        let names = std::fs::read_dir(&instance.runtime).expect("listed");
        assert_eq!(names.count(), 1, "the lease alone");
    }

    #[test]
    fn what_is_gone_has_no_lease_to_change() {
        let gone = Utf8Path::new("/nowhere/vm1");
        assert!(Lease::change(gone, |_| Ok(())).expect("no error").is_none());
    }
}
