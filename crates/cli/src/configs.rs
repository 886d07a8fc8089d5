//! The configuration that ships, inside the program: an installed one needs no source tree.

use include_dir::{Dir, include_dir};

use kvmtest_runner::plan::Shipped;

/// The folder `configs/`.
static FOLDER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

/// The files of the folder.
pub(crate) struct Configs;

impl Shipped for Configs {
    fn text(&self, path: &str) -> Option<&str> {
        FOLDER.get_file(path)?.contents_utf8()
    }

    fn paths(&self) -> Vec<&str> {
        FOLDER.files().filter_map(|file| file.path().to_str()).collect()
    }
}
