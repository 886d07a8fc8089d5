//! The env file itself: versioned JSON, replaced as a whole, under a lock on a separate file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::lock::Lock;
use crate::vm::{Record, Transition};
use crate::{directories, document};

const VERSION: u32 = 1;

/// Where the env files of runs are, in the runtime directory.
const ENVS: &str = "envs";

/// What the file says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Content {
    version: u32,
    /// Who holds the leases of the machines that are started.
    #[serde(default)]
    pub(crate) holder: Option<ProcessId>,
    /// The program that guards them.
    #[serde(default)]
    pub(crate) guard: Option<Utf8PathBuf>,
    /// Where the overlays of writable images are, if these are not to be written to themselves.
    #[serde(default)]
    pub(crate) overlays: Option<Utf8PathBuf>,
    /// Images that were made for this env alone, and where they are instead.
    #[serde(default)]
    pub(crate) own_images: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// The machines, by name.
    #[serde(default)]
    pub(crate) vms: BTreeMap<String, Record>,
    /// What is being done with them, by the names of their instances.
    #[serde(default)]
    pub(crate) transitions: BTreeMap<String, Transition>,
}

impl Content {
    /// The machines that somebody has left in the middle of something. What could not be set right
    /// is not told of again.
    pub(crate) fn abandoned(&self) -> Vec<Record> {
        let is_abandoned = |record: &&Record| {
            let transition = self.transitions.get(&record.instance.id);
            transition.is_some_and(|it| !it.is_given_up() && it.is_abandoned())
        };
        self.vms.values().filter(is_abandoned).cloned().collect()
    }

    /// Forgets what was being done with machines that are gone.
    fn forget_transitions(&mut self) {
        let vms = &self.vms;
        let is_known = |id: &String| vms.values().any(|record| record.instance.id == *id);
        self.transitions.retain(|id, _| is_known(id));
    }
}

/// The file, wherever it is from: it goes when it names no machine, and comes back with the next.
#[derive(Clone)]
pub(crate) struct EnvFile {
    path: Utf8PathBuf,
    /// What was said of all machines that are started by way of this, while there is no file.
    guard: Arc<Mutex<Option<Utf8PathBuf>>>,
}

/// An env file that one run has for itself; it is free again when this is dropped.
pub struct Claim {
    path: Utf8PathBuf,
    lock: Lock,
}

/// Claims the first env file that no other run has: `default`, `default-2`, …; so two runs on
/// one host have an environment each, and one run after another has the same.
pub fn claim() -> Result<Claim> {
    directories::runtime()?;
    let directory = directories::private(&envs()?)?;
    for number in 1..=1000 {
        let name = if number == 1 { "default".into() } else { format!("default-{number}") };
        if let Some(lock) = Lock::try_take(&directory.join(format!("{name}.run")))? {
            return Ok(Claim { path: directory.join(format!("{name}.json")), lock });
        }
    }
    Err(Error::new(ErrorKind::Env, format!("a thousand runs have an env file in {directory} each")))
}

/// All env files of this user.
pub fn files() -> Result<Vec<Utf8PathBuf>> {
    with_extension("json")
}

/// Makes an env file for machines that are to be kept apart from those of any run.
pub(super) fn make_kept() -> Result<EnvFile> {
    directories::runtime()?;
    let directory = directories::private(&envs()?)?;
    for number in 1..=1000 {
        let file = EnvFile::new(&directory.join(format!("kept-{number}.json")));
        let lock = Lock::take(&file.path.with_extension("lock"))?;
        if !file.path.exists() {
            // What nobody holds and has no machine is removed by any run.
            let content = Content { holder: Some(ProcessId::own()?), ..file.read()? };
            document::write_locked(&file.path, &content)?;
            return Ok(file);
        }
        drop(lock);
    }
    Err(Error::new(ErrorKind::Env, format!("a thousand machines are kept in {directory} already")))
}

fn with_extension(extension: &str) -> Result<Vec<Utf8PathBuf>> {
    let directory = envs()?;
    let Ok(entries) = directory.read_dir_utf8() else { return Ok(Vec::new()) };
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .filter(|path| path.extension() == Some(extension))
        .collect();
    files.sort();
    Ok(files)
}

/// Takes the VM `name` out of the env file `path`, if it is still the incarnation `id`.
pub(crate) fn forget(path: &Utf8Path, name: &str, id: &str) -> Result<()> {
    let file = EnvFile::new(path);
    if !path.exists() {
        if document::unfinished(path).exists() {
            file.remove_if_idle()?;
            remove_abandoned_claim(&path.with_extension("run"))?;
        }
        return Ok(());
    }
    file.update(|content| {
        if content.vms.get(name).is_some_and(|record| record.instance.id == id) {
            content.vms.remove(name);
        }
    })?;
    file.remove_if_idle()?;
    remove_abandoned_claim(&path.with_extension("run"))
}

/// Removes the lock of a claim whose run was killed. One that a run has stays.
pub(super) fn remove_abandoned_claim(path: &Utf8Path) -> Result<()> {
    if path.exists() {
        drop(Lock::try_take(path)?);
    }
    // Anybody's env file may lie anywhere; only our own directory goes when it is empty.
    if let Some(directory) = path.parent().filter(|directory| directory.file_name() == Some(ENVS)) {
        crate::vm::remove_if_empty(directory);
    }
    Ok(())
}

/// The locks of all claims of this user.
pub(super) fn claims() -> Result<Vec<Utf8PathBuf>> {
    with_extension("run")
}

impl Claim {
    /// The env file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Gives the file back; what is empty is removed.
    pub fn release(self) -> Result<()> {
        let file = EnvFile::new(&self.path);
        file.update(|content| {
            content.holder = None;
            content.overlays = None;
            content.own_images.clear();
        })?;
        file.remove_if_idle()?;
        drop(self.lock);
        remove_abandoned_claim(&self.path.with_extension("run"))
    }
}

impl EnvFile {
    pub(crate) fn new(path: &Utf8Path) -> Self {
        Self { path: path.to_owned(), guard: Arc::default() }
    }

    /// Says which program guards the machines that are started from here on.
    pub(crate) fn set_guard(&self, program: &Utf8Path) -> Result<()> {
        *self.guard() = Some(program.to_owned());
        self.update(|content| content.guard = Some(program.to_owned()))
    }

    fn guard(&self) -> MutexGuard<'_, Option<Utf8PathBuf>> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// What the file says; nothing where there is none. Needs no lock: it is replaced as a whole.
    pub(crate) fn read(&self) -> Result<Content> {
        let content = document::read(&self.path, VERSION).map_err(|error| {
            error.context(
                "reading the env file (`kvmtest env gc` moves a broken one aside and clears up)",
            )
        })?;
        Ok(content.unwrap_or(Content {
            version: VERSION,
            holder: None,
            guard: self.guard().clone(),
            overlays: None,
            own_images: BTreeMap::new(),
            vms: BTreeMap::new(),
            transitions: BTreeMap::new(),
        }))
    }

    /// Changes what the file says, alone.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T> {
        let lock = Lock::take(&self.path.with_extension("lock"))?;
        let mut content = self.read()?;
        let result = change(&mut content);
        content.forget_transitions();
        document::write_locked(&self.path, &content)?;
        drop(lock);
        Ok(result)
    }

    /// Removes the file if it names no machine and no run that lives.
    pub(crate) fn remove_if_idle(&self) -> Result<()> {
        let lock = Lock::take(&self.path.with_extension("lock"))?;
        let content = self.read()?;
        let held = match &content.holder {
            Some(holder) => holder.is_alive()?,
            None => false,
        };
        if content.vms.is_empty() && !held {
            remove(&self.path)?;
            // Somebody was killed who was about to write it.
            remove(&document::unfinished(&self.path))?;
        }
        drop(lock);
        Ok(())
    }
}

/// Removes a file that need not be there.
fn remove(path: &Utf8Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {path}"))
        }
        _ => Ok(()),
    }
}

pub(super) fn envs() -> Result<Utf8PathBuf> {
    Ok(directories::runtime_path()?.join(ENVS))
}
