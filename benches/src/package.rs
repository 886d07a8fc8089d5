//! The package for Python, as `make python` lays it out.

use std::path::{Path, PathBuf};

/// The folder that Python finds the package in, beside the program that `KVMTEST_PROGRAM` names;
/// `None` where it was not built.
pub fn package() -> Option<PathBuf> {
    let program = std::env::var_os("KVMTEST_PROGRAM")?;
    let folder = Path::new(&program).parent()?.join("python");
    folder.join("kvmtest").is_dir().then_some(folder)
}
