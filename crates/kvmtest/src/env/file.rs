//! The env file itself: versioned JSON, replaced as a whole, under a lock on a separate file.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::vm::Record;
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
}

#[derive(Clone)]
pub(crate) struct EnvFile {
    path: Utf8PathBuf,
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
            document::write_locked(&file.path, &file.read()?)?;
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
        Self { path: path.to_owned() }
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
            guard: None,
            overlays: None,
            own_images: BTreeMap::new(),
            vms: BTreeMap::new(),
        }))
    }

    /// Changes what the file says, alone.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T> {
        let lock = Lock::take(&self.path.with_extension("lock"))?;
        let mut content = self.read()?;
        let result = change(&mut content);
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
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// An exclusive lock on a file that exists only as long as somebody has or wants it.
pub(crate) struct Lock {
    path: Utf8PathBuf,
    // The lock is the open file's; it is released when the file is closed.
    _file: File,
}

impl Lock {
    pub(crate) fn take(path: &Utf8Path) -> Result<Self> {
        loop {
            let file = open(path)?;
            // Held for the time of a small write by whoever has it, so there is no deadline.
            file.lock().with_context(|| format!("locking {path}"))?;
            if is_still(&file, path) {
                return Ok(Self { path: path.to_owned(), _file: file });
            }
        }
    }

    pub(crate) fn try_take(path: &Utf8Path) -> Result<Option<Self>> {
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) if is_still(&file, path) => {
                    return Ok(Some(Self { path: path.to_owned(), _file: file }));
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("locking {path}"));
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked: who waits for it finds that the file is no longer at its
        // path, and makes another.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open(path: &Utf8Path) -> Result<File> {
    let doing = || format!("opening the lock {path}");
    // Whoever leaves removes the directory if it is empty, perhaps between our two steps.
    for _ in 0..100 {
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            directories::private(directory)?;
        }
        let opened =
            File::options().write(true).create(true).truncate(false).mode(0o600).open(path);
        match opened {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            opened => return opened.with_context(doing),
        }
    }
    Err(Error::new(ErrorKind::Io, "its directory is removed again and again")).with_context(doing)
}

fn is_still(file: &File, path: &Utf8Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => ours.ino() == theirs.ino() && ours.dev() == theirs.dev(),
        _ => false,
    }
}

pub(super) fn envs() -> Result<Utf8PathBuf> {
    Ok(directories::runtime_path()?.join(ENVS))
}
