//! `env`: the file that keeps virtual machines alive from one test to the next.

mod collect;
mod file;
mod images;
mod shared;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use camino::{Utf8Path, Utf8PathBuf};

pub(crate) use collect::mark;
pub use collect::{Collected, Reach, collect, find_vm, find_vm_in, remove_empty_directories};
pub(crate) use file::forget;
pub use file::{Claim, claim, files};

use crate::error::{Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::monitor::QmpMonitor;
use crate::params::Params;
use crate::perturb::Perturb;
use crate::vm::Vm;
use file::{Content, EnvFile};
pub(crate) use shared::Shared;

/// The environment of a test: the virtual machines that live, by name.
///
/// What it knows is in a file, read anew at every question, so that what another process
/// registers or destroys is seen at once.
#[derive(Clone)]
pub struct Env {
    home: Arc<Home>,
    params: Params,
}

/// A new environment for machines that are kept apart from those of any run: no test finds them
/// there. As long as this process lives nobody takes it for one that was left behind; where it is
/// not to hold it, [`set_holder`](Env::set_holder) says so, and it is gone with its last machine.
pub fn keep() -> Result<Env> {
    Ok(Env { home: Arc::new(Home::new(file::make_kept()?)), params: Params::new() })
}

/// Where a VM belongs: what it needs to know of the environment that it lives in.
pub(crate) struct Home {
    pub(crate) file: EnvFile,
    pub(crate) face: Face,
    /// Where monitor and session logs go; none are kept without it.
    pub(crate) log_dir: Option<Utf8PathBuf>,
    /// What happens to the machines at the checkpoints of their sessions.
    pub(crate) perturbed: Mutex<HashMap<String, Arc<Mutex<Perturb>>>>,
}

/// The monitors that this process is connected to, whichever view of an environment they were
/// reached by: a second connection would hang.
pub(crate) static MONITORS: LazyLock<Shared<QmpMonitor>> = LazyLock::new(Shared::new);

impl Home {
    fn new(file: EnvFile) -> Self {
        Self { file, face: Face::Test, log_dir: None, perturbed: Mutex::default() }
    }
}

/// Who is asking: a QMP socket serves one client at a time, so each has one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Face {
    /// A subtest.
    #[default]
    Test,
    /// What runs the subtest, and watches.
    Harness,
}

impl Env {
    /// The environment in the file `path`, which need not exist yet.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        // Its machines' guards, which are told of it, work in another directory.
        let file = EnvFile::new(&camino::absolute_utf8(path)?);
        // Told now, not at the first question: a broken file is nothing to start a test with.
        file.read()?;
        Ok(Self { home: Arc::new(Home::new(file)), params: Params::new() })
    }

    /// The same environment as seen by `face`.
    #[must_use]
    pub fn with_face(self, face: Face) -> Self {
        self.with_home(|home| Home { face, ..home })
    }

    /// The same environment, with its machines' monitor and session logs in `dir`.
    #[must_use]
    pub fn with_log_dir(self, dir: &Utf8Path) -> Self {
        self.with_home(|home| Home { log_dir: Some(dir.to_owned()), ..home })
    }

    /// The same environment, whose machines are made from `params`.
    #[must_use]
    pub fn with_params(mut self, params: &Params) -> Self {
        self.params = params.clone();
        self
    }

    /// The parameters from which machines are made.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        self.home.file.path()
    }

    /// Who holds the leases of the machines started from here, instead of the process that
    /// starts them: a run, whose tests come and go.
    pub fn set_holder(&self, holder: Option<ProcessId>) -> Result<()> {
        self.home.file.update(|content| content.holder = holder)
    }

    /// Which program guards the machines started from here. It is in the file for others as long
    /// as that is there, and with this environment as long as that is.
    pub fn set_guard(&self, program: &Utf8Path) -> Result<()> {
        self.home.file.set_guard(program)
    }

    /// Lets the machines started from here write to overlays in `dir` instead of to images that
    /// others may use at the same time. One image has one overlay there, which stays from machine
    /// to machine; so what a test writes is there for the next. `None` lets them write to the
    /// images themselves.
    pub fn set_overlays(&self, dir: Option<&Utf8Path>) -> Result<()> {
        self.home.file.update(|content| {
            content.overlays = dir.map(Utf8Path::to_owned);
            content.own_images.clear();
        })
    }

    /// The VM called `name`, if the environment knows it. It may be dead. What a process that was
    /// killed has left in the middle of something is set right, as far as that can be done: a
    /// machine that was being moved or saved runs again.
    pub fn get_vm(&self, name: &str) -> Result<Option<Vm>> {
        let content = self.settled()?;
        Ok(content.vms.get(name).map(|record| Vm::from_record(&self.home, record.clone())))
    }

    /// All VMs that the environment knows, in the order of their names. They may be dead. They are
    /// set right as by [`get_vm`](Self::get_vm).
    pub fn get_all_vms(&self) -> Result<Vec<Vm>> {
        let content = self.settled()?;
        Ok(content.vms.into_values().map(|record| Vm::from_record(&self.home, record)).collect())
    }

    /// The living VM called `name`: the one that the environment knows, or else a new one, made
    /// from the parameters.
    pub fn get_living_vm(&self, name: &str) -> Result<Vm> {
        let vm = match self.get_vm(name)? {
            Some(vm) => vm,
            None => self.define_vm(name)?,
        };
        if vm.is_dead()? {
            vm.create()?;
        }
        Ok(vm)
    }

    /// The VM called `name` as the parameters describe it, not started. A name that cannot be one
    /// ([`params::name`](crate::params::name)) is an error.
    pub fn define_vm(&self, name: &str) -> Result<Vm> {
        if self.params.is_empty() {
            return Err(Error::new(
                ErrorKind::VmMissing,
                format!("no VM is called `{name}`, and there are no params to make it from"),
            ));
        }
        Vm::define_called(&self.home, name, self.params.object_params(name))
    }

    /// Makes `vm` known. Starting a VM does so by itself.
    pub fn register_vm(&self, vm: &Vm) -> Result<()> {
        match vm.record() {
            Some(mut record) => self.home.file.update(|content| {
                let known = content.vms.get(&record.name);
                if let Some(known) = known.filter(|known| known.instance == record.instance) {
                    record.stain(known);
                }
                content.vms.insert(record.name.clone(), record);
            }),
            None => Err(Error::new(
                ErrorKind::VmMissing,
                format!("the VM `{}` was not started, so there is nothing to keep", vm.name()),
            )),
        }
    }

    /// Forgets the VM called `name`, which goes on living if it lives; says whether it was known.
    pub fn unregister_vm(&self, name: &str) -> Result<bool> {
        self.home.file.update(|content| content.vms.remove(name).is_some())
    }

    /// Forgets the machines that are dead; says which.
    pub fn forget_dead(&self) -> Result<Vec<String>> {
        let mut forgotten = Vec::new();
        for vm in self.get_all_vms()? {
            if vm.is_dead()? {
                vm.forget()?;
                forgotten.push(vm.name().to_owned());
            }
        }
        Ok(forgotten)
    }

    /// Removes the file if it keeps nothing: a run leaves none behind.
    pub fn tidy(&self) -> Result<()> {
        self.home.file.remove_if_idle()
    }

    /// What the file says, when nothing is left of what somebody was doing who is dead.
    fn settled(&self) -> Result<Content> {
        let content = self.home.file.read()?;
        let abandoned = content.abandoned();
        if abandoned.is_empty() {
            return Ok(content);
        }
        for record in abandoned {
            // It is logged; a machine that cannot be set right is found as it is.
            let _ = Vm::from_record(&self.home, record).recover(false);
        }
        self.home.file.read()
    }

    fn with_home(mut self, change: impl FnOnce(Home) -> Home) -> Self {
        let home = Home {
            face: self.home.face,
            log_dir: self.home.log_dir.clone(),
            ..Home::new(self.home.file.clone())
        };
        self.home = Arc::new(change(home));
        self
    }
}

#[cfg(test)]
mod tests;
