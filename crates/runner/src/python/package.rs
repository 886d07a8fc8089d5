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
    let tree = Utf8Path::new(TREE).ancestors().nth(2);
    match tree.filter(|tree| tree.join("crates/python/pyproject.toml").is_file()) {
        Some(tree) => format!("make -C {tree} python"),
        None => format!("{python} -m pip install kvmtest=={}", env!("CARGO_PKG_VERSION")),
    }
}
