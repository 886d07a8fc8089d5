//! What ships inside the program, so that an installed one needs no source tree: the
//! configuration, and the subtests in Python.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};

use kvmtest_runner::plan::Shipped;

/// The folder `configs/`.
static CONFIGS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../configs");

/// The folder `subtests/python/`.
static PYTHON: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../subtests/python");

/// The files of `configs/`.
pub(crate) struct Configs;

impl Shipped for Configs {
    fn text(&self, path: &str) -> Option<&str> {
        CONFIGS.get_file(path)?.contents_utf8()
    }

    fn paths(&self) -> Vec<&str> {
        CONFIGS.files().filter_map(|file| file.path().to_str()).collect()
    }
}

/// The subtests in Python: names and texts.
pub(crate) fn python_subtests() -> &'static [(&'static str, &'static str)] {
    static SUBTESTS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
        let files = PYTHON.files().filter(|file| file.path().extension() == Some("py".as_ref()));
        let named = |file: &'static include_dir::File<'static>| {
            Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?))
        };
        files.filter_map(named).collect()
    });
    &SUBTESTS
}
