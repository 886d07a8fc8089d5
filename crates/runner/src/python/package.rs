//! The Python package `kvmtest` that belongs to this program.

use camino::{Utf8Path, Utf8PathBuf};

/// The source tree that the program was built from; looked for again before it is named.
const TREE: &str = env!("CARGO_MANIFEST_DIR");

/// The folder to put on Python's path for the package: beside the program, where `make python`
/// lays it, or in `../lib/kvmtest/python`, where `make install` does.
pub(super) fn beside_program() -> Option<Utf8PathBuf> {
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let program = Utf8PathBuf::from_path_buf(program).ok()?;
    let dir = program.parent()?;
    let places = [dir.join("python"), dir.parent()?.join("lib/kvmtest/python")];
    places.into_iter().find(|place| place.join("kvmtest/__init__.py").is_file())
}

/// The command that gets the package for `python`.
pub(super) fn command(python: &Utf8Path) -> String {
    match tree() {
        Some(tree) => format!("make -C {tree} python"),
        None => install(python),
    }
}

/// The command that gives `python` a package of its own, in the right version.
pub(super) fn install(python: &Utf8Path) -> String {
    format!("{python} -m pip install kvmtest=={}", env!("CARGO_PKG_VERSION"))
}

/// The source tree, if this program was built in it and is there still.
fn tree() -> Option<&'static Utf8Path> {
    let tree = Utf8Path::new(TREE).ancestors().nth(2)?;
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    (program.starts_with(tree) && tree.join("crates/python/pyproject.toml").is_file())
        .then_some(tree)
}
