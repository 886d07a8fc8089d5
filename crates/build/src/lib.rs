//! What the build script of a crate of subtests calls.
//!
//! ```no_run
//! // build.rs
//! kvmtest_build::subtests("src");
//! ```
//!
//! Every file `foo.rs` in the folder is a subtest with a function `run_foo`; the table of them is
//! written to `subtests.rs` in Cargo's `OUT_DIR`, and is taken in with
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/subtests.rs"));
//! ```
//!
//! A file that is no subtest does not compile, with a sentence that says what it lacks.

mod code;
mod found;
mod source;

use std::path::Path;

pub use found::{Found, Problem};

/// Scans the folder `src` (relative to the crate) and writes the table.
///
/// # Panics
/// Where the folder cannot be read or the table cannot be written: that fails the build.
pub fn subtests(src: impl AsRef<Path>) {
    let variable = |name: &str| {
        std::env::var_os(name)
            .unwrap_or_else(|| panic!("`{name}` is not set: this is to be called from `build.rs`"))
    };
    let src = src.as_ref();
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")).join(src);
    let table = generate(&folder, src)
        .unwrap_or_else(|error| panic!("cannot read the folder {}: {error}", folder.display()));
    let path = Path::new(&variable("OUT_DIR")).join("subtests.rs");
    // Only where it differs, so that nothing is compiled again for nothing.
    if std::fs::read_to_string(&path).ok().as_ref() != Some(&table) {
        std::fs::write(&path, table)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }
    #[expect(clippy::print_stdout, reason = "this is how a build script speaks to Cargo")]
    {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}

/// The table for the files in `folder`, which the crate knows as `shown`.
///
/// # Errors
/// Where the folder or a file in it cannot be read.
pub fn generate(folder: &Path, shown: &Path) -> std::io::Result<String> {
    Ok(code::table(&found::scan(folder)?, shown))
}
