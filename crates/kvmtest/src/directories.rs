//! Where things lie: private directories, mode 0700, by the rules of the XDG specification.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Context, Error, ErrorKind, Result};

/// Images, guests, what was learned about QEMU binaries: `$XDG_CACHE_HOME/kvmtest`, else
/// `~/.cache/kvmtest`. May be deleted whenever no VM lives.
pub fn cache() -> Result<Utf8PathBuf> {
    private(&base("XDG_CACHE_HOME", ".cache")?.join("kvmtest"))
}

/// Sockets, env files, leases: `$XDG_RUNTIME_DIR/kvmtest`; where the session has no runtime
/// directory, `run` in [`cache`].
pub fn runtime() -> Result<Utf8PathBuf> {
    private(&runtime_path()?)
}

/// Where [`runtime`] is, or would be: for who only looks, and leaves nothing behind by looking.
pub fn runtime_path() -> Result<Utf8PathBuf> {
    match variable("XDG_RUNTIME_DIR") {
        Some(dir) => Ok(dir.join("kvmtest")),
        None => Ok(cache()?.join("run")),
    }
}

/// Makes `path`, with what is missing above it, for nobody but its owner.
///
/// An existing directory that belongs to somebody else is refused; one that others may enter is
/// closed to them.
pub fn private(path: &Utf8Path) -> Result<Utf8PathBuf> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("making the directory {path}"))?;
    let metadata = std::fs::metadata(path)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::new(
            ErrorKind::Io,
            format!("the directory {path} belongs to another user (id {})", metadata.uid()),
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::chmod(path.as_std_path(), mode)
            .with_context(|| format!("closing the directory {path} to others"))?;
    }
    Ok(path.to_owned())
}

fn base(variable_name: &str, below_home: &str) -> Result<Utf8PathBuf> {
    if let Some(dir) = variable(variable_name) {
        return Ok(dir);
    }
    variable("HOME").map(|home| home.join(below_home)).ok_or_else(|| {
        Error::new(
            ErrorKind::Host,
            format!("neither {variable_name} nor HOME names an absolute directory"),
        )
    })
}

/// The specification says that a relative path in these variables is to be ignored.
fn variable(name: &str) -> Option<Utf8PathBuf> {
    let path = Utf8PathBuf::from(std::env::var(name).ok()?);
    path.is_absolute().then_some(path)
}
