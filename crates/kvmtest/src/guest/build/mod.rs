//! Builds a guest: packages in; kernel, initrd, data disk and manifest out.

mod apt;
mod command;
mod cpio;
mod elf;
mod ext4;
mod kernel;
mod libraries;
mod package;
mod qcow2;
mod refresher;
mod release;
mod tree;
mod userland;

use std::collections::BTreeMap;
use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use self::apt::Apt;
use self::command::run;
use self::package::Package;
use self::release::Release;
use super::manifest::{self, Manifest, Used};
use super::recipe::{Recipe, Userland, chosen};
use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::lock::Lock;
use crate::{directories, hexadecimal};

/// In a guest's directory, the link to the build that counts.
pub(super) const CURRENT: &str = "current";

const DOWNLOADS: &str = ".downloads";
const LOCK: &str = ".lock";
/// Downloading 100 MB over a thin line included.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// Builds `recipe` into `store` and makes it the guest's current build.
///
/// With `newest`, the distribution is asked for its newest packages first. The caller holds
/// the lock.
pub(super) fn build(
    recipe: &Recipe,
    store: &Utf8Path,
    progress: &mut dyn FnMut(&str),
    newest: bool,
) -> Result<()> {
    let deadline = Deadline::after(TIMEOUT);
    command::require(&["apt-get", "apt-cache", "dpkg-deb", "mke2fs", "debugfs"])?;
    let inputs = Inputs::choose(recipe)?;
    let mut apt = Apt::new(&store.join(DOWNLOADS))?;
    progress("choosing packages");
    let chosen = apt.download(&inputs.request(), newest, progress, deadline)?;

    let hash = inputs.hash(recipe, &chosen.all());
    let guest = store.join(recipe.name);
    let place = guest.join(&hash);
    std::fs::create_dir_all(&guest)?;
    if !matches!(Manifest::read(&place), Ok(Some(manifest)) if manifest.hash == hash) {
        let scratch = Scratch::new(&guest)?;
        progress("unpacking packages");
        let kernel_root = unpack(&chosen.kernel, &scratch.path.join("kernel"), deadline)?;
        let userland_root = unpack(&chosen.userland, &scratch.path.join("userland"), deadline)?;
        progress("assembling the guest");
        let output = scratch.path.join("output");
        std::fs::create_dir(&output)?;
        let drivers =
            assemble(&inputs, &kernel_root, &userland_root, &scratch.path, &output, deadline)?;
        let manifest = Manifest {
            version: manifest::VERSION,
            name: recipe.name.to_owned(),
            hash,
            recipe: recipe.digest(),
            distribution: inputs.release.to_string(),
            kernel_params: inputs.guest.kernel_params.clone(),
            packages: chosen.all().iter().map(|package| used(package)).collect(),
            drivers,
            files: sync_files(&output)?,
        };
        write_synced(
            &output.join(manifest::FILE),
            &serde_json::to_vec_pretty(&manifest).map_err(|error| {
                Error::new(ErrorKind::Io, "cannot write the manifest").caused_by(error)
            })?,
        )?;
        replace(&output, &place)?;
    }
    make_current(&guest, &place)?;
    progress("done");
    Ok(())
}

/// Waits until no other build goes on in `store`.
pub(super) fn lock(store: &Utf8Path) -> Result<Lock> {
    let path = store.join(LOCK);
    Lock::wait(&path, Deadline::after(TIMEOUT))?.ok_or_else(|| {
        let message = format!("another build has been holding {path} for too long");
        Error::new(ErrorKind::Guest, message)
    })
}

/// Removes what was downloaded for builds in `store`.
pub(super) fn forget_downloads(store: &Utf8Path) -> Result<()> {
    directories::remove(&store.join(DOWNLOADS)).map(drop)
}

/// What is known before a package is asked for.
struct Inputs {
    guest: super::recipe::GuestRecipe,
    userland: Userland,
    release: Release,
}

impl Inputs {
    fn choose(recipe: &Recipe) -> Result<Self> {
        Ok(Self { guest: recipe.parse()?, userland: Userland::parse()?, release: Release::host()? })
    }

    fn request(&self) -> apt::Request<'_> {
        let names = self.release.names();
        apt::Request {
            kernel: chosen(&self.guest.kernel, &names).map(String::as_str),
            follow_kernel: &self.userland.follow.kernel,
            userland: chosen(&self.userland.packages, &names).map_or(&[], Vec::as_slice),
            follow_userland: &self.userland.follow.userland,
            distribution: self.release.to_string(),
        }
    }

    fn hash(&self, recipe: &Recipe, packages: &[&Package]) -> String {
        let mut digest = Sha256::new();
        digest.update(recipe.digest());
        digest.update(self.release.to_string());
        for package in packages {
            digest.update([0]);
            digest.update(&package.sha256);
        }
        let mut hash = hexadecimal::of(&digest.finalize());
        hash.truncate(16);
        hash
    }
}

/// Makes the files of the guest in `output`; returns the drivers that it has.
fn assemble(
    inputs: &Inputs,
    kernel_root: &Utf8Path,
    userland_root: &Utf8Path,
    scratch: &Utf8Path,
    output: &Utf8Path,
    deadline: Deadline,
) -> Result<std::collections::BTreeSet<String>> {
    let kernel = kernel::Kernel::find(kernel_root)?;
    std::fs::copy(&kernel.image, output.join("kernel"))?;
    let mut tree = userland::tree(&inputs.userland, userland_root, deadline)?;
    let drivers = kernel.add_modules(&inputs.guest.modules, &mut tree, deadline)?;
    std::fs::write(output.join("initrd"), cpio::archive(&tree)).context("writing the initrd")?;
    let raw = scratch.join("data.raw");
    ext4::make(&raw, &inputs.userland.data, &scratch.join("data"), deadline)?;
    qcow2::convert(&raw, &output.join("data.qcow2"))?;
    Ok(drivers)
}

fn unpack(packages: &[Package], into: &Utf8Path, deadline: Deadline) -> Result<Utf8PathBuf> {
    for package in packages {
        let mut command = std::process::Command::new("dpkg-deb");
        command.arg("--extract").arg(&package.file).arg(into);
        run(&mut command, deadline).with_context(|| format!("unpacking {}", package.name))?;
    }
    Ok(into.to_owned())
}

fn used(package: &Package) -> Used {
    Used {
        name: package.name.clone(),
        version: package.version.clone(),
        sha256: package.sha256.clone(),
    }
}

/// The sizes of the files in `directory`, each of them safe on the disk.
fn sync_files(directory: &Utf8Path) -> Result<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    for entry in directory.read_dir_utf8()? {
        let entry = entry?;
        let file = File::open(entry.path())?;
        file.sync_all()?;
        sizes.insert(entry.file_name().to_owned(), file.metadata()?.len());
    }
    Ok(sizes)
}

fn write_synced(path: &Utf8Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all().map_err(Into::into)
}

/// Moves the complete `output` to `place`; what may lie there is damaged.
fn replace(output: &Utf8Path, place: &Utf8Path) -> Result<()> {
    if place.exists() {
        std::fs::remove_dir_all(place)?;
    }
    std::fs::rename(output, place).with_context(|| format!("moving the build to {place}"))
}

/// Lets the link point at `place`: at once, or not at all.
fn make_current(guest: &Utf8Path, place: &Utf8Path) -> Result<()> {
    let target = place.file_name().unwrap_or_default();
    let fresh = guest.join(".current");
    let _ = std::fs::remove_file(&fresh);
    std::os::unix::fs::symlink(target, &fresh)?;
    std::fs::rename(&fresh, guest.join(CURRENT)).context("naming the current build")
}

/// A directory beside the builds, so that the last step is a rename; removed in any case. What an
/// earlier build that was killed has left is removed, too.
struct Scratch {
    path: Utf8PathBuf,
}

impl Scratch {
    fn new(guest: &Utf8Path) -> Result<Self> {
        let path = guest.join(".building");
        directories::remove(&path)?;
        std::fs::create_dir(&path).with_context(|| format!("making {path}"))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
