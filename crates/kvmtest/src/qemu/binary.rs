//! A QEMU binary of the host.

use std::fmt;
use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::Capabilities;
use super::ask::ask;
use super::cache::Cache;
use super::identity::Identity;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::host::program;

/// Names under which distributions install the system emulator, in order of preference.
const CANDIDATES: [&str; 4] = ["qemu-system-x86_64", "qemu-kvm", "/usr/libexec/qemu-kvm", "kvm"];

/// A quarter of a second on an idle host; a hundred times that is a host in trouble.
const PATIENCE: Duration = Duration::from_secs(30);

/// A QEMU binary that runs, is new enough, and whose [`Capabilities`] are known.
#[derive(Debug, Clone)]
pub struct Binary {
    path: Utf8PathBuf,
    capabilities: Arc<Capabilities>,
}

impl Binary {
    /// The binary called `name`: a path, or a name on `PATH`. The empty name takes the first of
    /// `qemu-system-x86_64`, `qemu-kvm`, `/usr/libexec/qemu-kvm` and `kvm` that is there.
    ///
    /// The binary is started only if it has changed since it was last asked what it can do.
    pub fn find(name: &str) -> Result<Self> {
        let cache = match Cache::open() {
            Ok(cache) => Some(cache),
            Err(error) => {
                tracing::warn!(%error, "QEMU is asked anew what it can do: there is no cache");
                None
            }
        };
        Self::from_path(locate(name)?, cache.as_ref(), Deadline::after(PATIENCE))
    }

    /// The paths of all binaries that [`Binary::find`] would take by itself, the first choice
    /// first, each file once. None of them is started.
    pub fn candidates() -> Vec<Utf8PathBuf> {
        let mut files = Vec::new();
        let mut paths = Vec::new();
        for path in CANDIDATES.iter().filter_map(|name| program::find(name)) {
            let file = path.canonicalize_utf8().unwrap_or_else(|_| path.clone());
            if !files.contains(&file) {
                files.push(file);
                paths.push(path);
            }
        }
        paths
    }

    /// A binary of which everything is known already: nothing is looked for, nothing is started.
    pub fn known(path: impl Into<Utf8PathBuf>, capabilities: Capabilities) -> Self {
        Self { path: path.into(), capabilities: Arc::new(capabilities) }
    }

    /// Where it is: an absolute path.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// What it can do; also to be had through the binary itself.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Text that is another one as soon as this is another binary: an upgrade, a package of
    /// modules.
    pub fn identity(&self) -> Result<String> {
        let identity = Identity::of(&self.path)?;
        let file = serde_json::to_string(&identity).map_err(std::io::Error::from)?;
        Ok(format!("{} {} {file}", self.version(), self.package()))
    }

    fn from_path(path: Utf8PathBuf, cache: Option<&Cache>, deadline: Deadline) -> Result<Self> {
        let identity = Identity::of(&path)?;
        // A script may start another binary tomorrow, and its own file would not show it.
        let cache = cache.filter(|_| !is_script(&path));
        if let Some(known) = cache.and_then(|cache| cache.recall(&path, &identity)) {
            return Ok(Self::known(path, known));
        }
        let capabilities = ask(&path, deadline)?;
        if let Some(cache) = cache
            // An upgrade may have come in between.
            && Identity::of(&path).is_ok_and(|now| now == identity)
        {
            cache.remember(&path, &identity, &capabilities);
        }
        Ok(Self::known(path, capabilities))
    }
}

/// What a binary can do is asked of the binary: `binary.has_device("e1000")`.
impl Deref for Binary {
    type Target = Capabilities;

    fn deref(&self) -> &Capabilities {
        &self.capabilities
    }
}

impl fmt::Display for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (QEMU {})", self.path, self.version())
    }
}

fn locate(name: &str) -> Result<Utf8PathBuf> {
    if name.is_empty() {
        return CANDIDATES.iter().find_map(|name| program::find(name)).ok_or_else(|| {
            let names = CANDIDATES.join("`, `");
            missing(&format!("QEMU is not installed: none of `{names}` is there"))
        });
    }
    if !name.contains('/') {
        return program::find(name)
            .ok_or_else(|| missing(&format!("there is no program `{name}` on PATH")));
    }
    let path = Utf8Path::new(name);
    let fault = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // No package puts a program at a place that somebody made up.
            return Err(Error::new(
                ErrorKind::Host,
                format!(
                    "there is no file `{path}`: name one that is there, or a program on PATH \
                     (`qemu-system-x86_64`)"
                ),
            ));
        }
        Err(error) => format!("cannot be reached: {error}"),
        Ok(metadata) if metadata.is_dir() => "is a directory: name the program in it".to_owned(),
        Ok(_) if !program::is_executable(path) => {
            format!("is not executable: `chmod +x {path}` makes it so")
        }
        Ok(_) => return Ok(camino::absolute_utf8(path)?),
    };
    Err(Error::new(ErrorKind::Host, format!("`{path}` {fault}")))
}

fn missing(what: &str) -> Error {
    let mend = program::install_command("qemu-system-x86_64").unwrap_or_default();
    Error::new(ErrorKind::Host, format!("{what}; `{mend}` installs it"))
}

fn is_script(path: &Utf8Path) -> bool {
    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == *b"#!"
}

#[cfg(test)]
mod tests;
