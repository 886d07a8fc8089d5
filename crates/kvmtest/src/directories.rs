//! Where things lie: private directories, mode 0700, by the rules of the XDG specification.

use std::fs::Metadata;
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
    let metadata = make(path).with_context(|| format!("making the directory {path}"))?;
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

/// Removes the directory and all that is in it; says whether it was there. Others may be removing
/// it, too.
pub(crate) fn remove(path: &Utf8Path) -> Result<bool> {
    match std::fs::remove_dir_all(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("removing the directory {path}")),
    }
}

fn make(path: &Utf8Path) -> std::io::Result<Metadata> {
    use std::io::ErrorKind::{AlreadyExists, NotFound};
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    let make = || builder.create(path).and_then(|()| std::fs::metadata(path));
    // Whoever ends removes what is empty, perhaps a directory that was there or made a moment ago.
    let mut made = make();
    for _ in 0..1000 {
        match made {
            Err(error) if matches!(error.kind(), NotFound | AlreadyExists) => made = make(),
            _ => break,
        }
    }
    made
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_directory_can_be_made_while_somebody_removes_it_where_it_is_empty() {
        let keep = tempfile::tempdir().expect("a directory");
        let above = Utf8Path::from_path(keep.path()).expect("UTF-8").join("above");
        let below = above.join("below");
        let is_made = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_made.load(Ordering::Relaxed) {
                    let _ = std::fs::remove_dir(&below);
                    let _ = std::fs::remove_dir(&above);
                    std::thread::sleep(Duration::from_micros(10));
                }
            });
            let made: Vec<_> = (0..2000).map(|_| private(&below)).collect();
            is_made.store(true, Ordering::Relaxed);
            for made in made {
                assert_eq!(made.expect("made"), below);
            }
        });
    }

    #[test]
    fn what_is_gone_need_not_be_removed() {
        let keep = tempfile::tempdir().expect("a directory");
        let above = Utf8Path::from_path(keep.path()).expect("UTF-8").join("above");
        std::fs::create_dir_all(above.join("below")).expect("made");
        assert!(remove(&above).expect("removed") && !above.exists());
        assert!(!remove(&above).expect("gone before"));
    }
}
