//! Finds what no run and no guard takes care of any more, and clears it up.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::file::{EnvFile, claims, envs, files, remove_abandoned_claim};
use super::{Env, Face};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::lease::{self, Lease};
use crate::vm::{Instance, Vm, remove_if_empty, runtime_root, scratch_root};
use crate::{directories, document};

/// Something that was cleared up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// An env file that cannot be understood; it now has this name.
    BrokenEnv(Utf8PathBuf),
    /// The VM died; what it left is removed.
    DeadVm(String),
    /// The VM lived although nothing held it any more (its guard was killed), or no env file told
    /// of it; it was ended.
    LeakedVm(String),
    /// A directory that belonged to nothing.
    Directory(Utf8PathBuf),
    /// Something that is still there, because of this: it is no reason to leave anything else, and
    /// nobody has to wait for it.
    Stays(String),
}

impl std::fmt::Display for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BrokenEnv(path) => write!(f, "broken env file moved aside: {path}"),
            Self::DeadVm(name) => write!(f, "remains of the dead VM removed: {name}"),
            Self::LeakedVm(name) => write!(f, "VM ended that nothing held any more: {name}"),
            Self::Directory(path) => write!(f, "left directory removed: {path}"),
            Self::Stays(why) => write!(f, "cannot be cleared up: {why}"),
        }
    }
}

/// How far clearing up goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What nothing holds any more. An env file that cannot be understood is left alone, and
    /// what it may tell of, too: it may be a newer program's.
    Abandoned,
    /// That, and what cannot be understood: broken env files are moved aside, and machines that
    /// no env file tells of are ended unless a run is using them.
    Everything,
}

/// Clears up what died or leaked; says what. Machines that a run or their lease holds stay.
pub fn collect(reach: Reach) -> Result<Vec<Collected>> {
    let mut collected = Vec::new();
    for path in files()? {
        match Env::open(&path) {
            Ok(env) => {
                collected.extend(told(forget_dead(&env))?);
                env.tidy()?;
            }
            Err(_) if reach == Reach::Abandoned => {}
            Err(_) => collected.push(Collected::BrokenEnv(move_aside(&path)?)),
        }
    }
    for runtime in directories_in(&runtime_root()?) {
        collected.extend(told(collect_instance(&runtime, reach))?);
    }
    for scratch in directories_in(&scratch_root()?) {
        let is_left = match Instance::of_scratch(&scratch) {
            Some(instance) => !instance.runtime.exists(),
            None => is_old(&scratch),
        };
        if is_left {
            let is_removed = directories::remove(&scratch);
            let removed = is_removed.map(|is| is.then_some(Collected::Directory(scratch)));
            collected.extend(told(removed)?);
        }
    }
    for claim in claims()? {
        remove_abandoned_claim(&claim)?;
    }
    remove_empty_directories()?;
    Ok(collected)
}

/// Forgets the machines of `env` that are dead, unless a run is using them: it sees that they died,
/// and needs what they left to tell why.
fn forget_dead(env: &Env) -> Result<Vec<Collected>> {
    let mut forgotten = Vec::new();
    for vm in env.get_all_vms()? {
        let is_in_use = vm.lease().is_ok_and(|lease| lease.is_in_use());
        if !is_in_use && vm.is_dead()? {
            vm.forget()?;
            forgotten.push(Collected::DeadVm(vm.name().to_owned()));
        }
    }
    Ok(forgotten)
}

/// What was cleared up, or what is told of something that cannot be.
fn told(cleared: Result<impl IntoIterator<Item = Collected>>) -> Result<Vec<Collected>> {
    match cleared {
        Ok(cleared) => Ok(cleared.into_iter().collect()),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok(vec![Collected::Stays(error.to_string())]),
    }
}

/// Removes the directories for env files and machines where they are empty.
pub fn remove_empty_directories() -> Result<()> {
    for root in [envs()?, runtime_root()?, scratch_root()?] {
        remove_if_empty(&root);
    }
    Ok(())
}

/// The living VM called `name`, in whatever environment it is.
pub fn find_vm(name: &str) -> Result<Vm> {
    find_vm_in(name, None)
}

/// The living VM called `name` in the environment called `env` (`default`, `kept-1`: the name of
/// its file), or in whatever environment it is. Of several, one has to be named.
pub fn find_vm_in(name: &str, env: Option<&str>) -> Result<Vm> {
    let (mut found, mut known, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    for path in files()? {
        let is_meant = env.is_none() || path.file_stem() == env;
        let here = match Env::open(&path) {
            Err(_) if !is_meant => continue,
            opened => opened?.with_face(Face::Harness),
        };
        for vm in here.get_all_vms()? {
            if vm.is_dead()? {
                continue;
            }
            if !is_meant {
                let other = path.file_stem().unwrap_or_default();
                elsewhere.extend((vm.name() == name).then(|| format!("`{other}`")));
                continue;
            }
            known.push(vm.name().to_owned());
            if vm.name() == name {
                found.push((path.file_stem().unwrap_or_default().to_owned(), vm));
            }
        }
    }
    if found.len() > 1 {
        let envs: Vec<&str> = found.iter().map(|(env, _)| env.as_str()).collect();
        let message = format!(
            "{} living VMs are called `{name}`: say which by `--env`: {}",
            envs.len(),
            envs.join(", ")
        );
        return Err(Error::new(ErrorKind::VmMissing, message));
    }
    if let Some((_, vm)) = found.pop() {
        return Ok(vm);
    }
    known.sort();
    let rest = match known.as_slice() {
        _ if !elsewhere.is_empty() => format!("`{name}` lives in {}", elsewhere.join(", ")),
        [] if env.is_some() => "no VM lives there".to_owned(),
        [] => "no VM lives: `kill_vm = no` leaves one after a run".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    };
    let place = env.map(|env| format!(" in `{env}`")).unwrap_or_default();
    Err(Error::new(ErrorKind::VmMissing, format!("no living VM is called `{name}`{place}; {rest}")))
}

fn move_aside(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%f");
    let aside = path.with_extension(format!("json.broken-{now}"));
    std::fs::rename(path, &aside).with_context(|| format!("moving {path} aside"))?;
    Ok(aside)
}

fn collect_instance(runtime: &Utf8Path, reach: Reach) -> Result<Option<Collected>> {
    // A lease that cannot be read holds nothing.
    let lease = Lease::read(runtime).ok().flatten();
    let stays = |lease: &Lease| lease.is_in_use() || lease.lasts() && is_known(lease, reach);
    if lease.as_ref().is_some_and(stays) {
        return Ok(None);
    }
    if lease.is_none() && !is_old(runtime) {
        return Ok(None);
    }
    let lived = lease::kill_qemu(runtime)?;
    let name = lease.as_ref().map_or_else(|| runtime.to_string(), |lease| lease.vm.clone());
    match lease {
        Some(lease) => {
            if let Some(env) = &lease.env
                && EnvFile::new(env).read().is_ok()
            {
                super::forget(env, &lease.vm, &lease.instance.id)?;
            }
            lease.instance.remove();
        }
        None => drop(directories::remove(runtime)?),
    }
    Ok(Some(if lived { Collected::LeakedVm(name) } else { Collected::DeadVm(name) }))
}

/// Whether anybody could find the machine again: its env file may have been broken.
fn is_known(lease: &Lease, reach: Reach) -> bool {
    let Some(env) = &lease.env else { return true };
    let Ok(content) = EnvFile::new(env).read() else { return reach == Reach::Abandoned };
    content.vms.get(&lease.vm).is_some_and(|record| record.instance.id == lease.instance.id)
}

/// Whether nobody is making or removing the directory at this moment, who would have it in order
/// in the next.
fn is_old(directory: &Utf8Path) -> bool {
    let changed = std::fs::metadata(directory).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= Duration::from_secs(60)))
}

fn directories_in(root: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = root.read_dir_utf8() else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.into_path())).filter(|path| path.is_dir()).collect()
}

impl Instance {
    /// What a scratch directory says of itself.
    fn of_scratch(scratch: &Utf8Path) -> Option<Self> {
        document::read::<Marker>(&scratch.join(MARKER), 1).ok()?.map(|marker| marker.instance)
    }
}

/// Says to whom a scratch directory belongs.
const MARKER: &str = "instance.json";

#[derive(serde::Serialize, serde::Deserialize)]
struct Marker {
    version: u32,
    instance: Instance,
}

/// Marks a scratch directory as belonging to `instance`.
pub(crate) fn mark(instance: &Instance) -> Result<()> {
    let marker = Marker { version: 1, instance: instance.clone() };
    document::write(&instance.scratch.join(MARKER), &marker)
}
