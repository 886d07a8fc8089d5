//! The configuration that ships, inside the program: an installed one needs no source tree.

use include_dir::{Dir, include_dir};

/// The folder `configs/`.
pub(crate) static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

/// The file that everything starts from.
pub(crate) const ENTRY: &str = "tests.cfg";
