//! Snapshots inside the machine's own disk images, by their historical names.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use super::{Instance, Vm};
use crate::doing;
use crate::error::{Context, Result};
use crate::migration;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Has a byte for each time that the machine was set back while its QEMU went on.
const LOADS: &str = "loads";

/// How many times the machine of `instance` was set back: each time it forgot whoever was
/// connected to it over the network since.
pub(super) fn loads(instance: &Instance) -> u64 {
    std::fs::metadata(instance.runtime.join(LOADS)).map_or(0, |file| file.len())
}

impl Vm {
    /// Saves the machine, memory and disks, as `name` in the qcow2 images that it writes to. One
    /// of that name that is there already is an error, and stays. A machine that cannot be saved is
    /// an error of the kind `MigrateBlocked`.
    pub fn savevm(&self, name: &str) -> Result<()> {
        let doing = || format!("saving the VM `{}` as `{name}` in its images", self.name());
        let _doing = doing::begin(doing());
        let save = || {
            self.prepare_to_move()?;
            migration::save_snapshot(&*self.monitor()?, name, PATIENCE)
        };
        save().map_err(migration::refused).with_context(doing)
    }

    /// Makes the machine what it was when it was saved as `name`. Where there is none of that name,
    /// the error says which there are.
    ///
    /// A session on the console goes on with the shell of then; one over the network logs in anew
    /// with the next thing that is sent.
    pub fn loadvm(&self, name: &str) -> Result<()> {
        let doing = || format!("loading the VM `{}` from `{name}` in its images", self.name());
        let _doing = doing::begin(doing());
        let load = || {
            let record = self.running()?;
            migration::load_snapshot(&*self.monitor()?, name, PATIENCE)?;
            let path = record.instance.runtime.join(LOADS);
            Ok(File::options().append(true).create(true).open(path)?.write_all(b"+")?)
        };
        load().map_err(migration::refused).with_context(doing)
    }

    /// Removes what was saved as `name`.
    pub fn delvm(&self, name: &str) -> Result<()> {
        let doing = || format!("removing `{name}` from the images of the VM `{}`", self.name());
        let _doing = doing::begin(doing());
        migration::delete_snapshot(&*self.monitor()?, name, PATIENCE)
            .map_err(migration::refused)
            .with_context(doing)
    }
}
