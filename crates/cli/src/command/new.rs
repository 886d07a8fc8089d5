//! `kvmtest new`: a crate for subtests of one's own.

use camino::Utf8Path;
use kvmtest::Result;
use kvmtest_runner::scaffold::{Origin, scaffold};

use crate::terminal::say;

pub(super) fn execute(dir: &Utf8Path) -> Result<u8> {
    let tree = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    for file in scaffold(dir, Origin { tree, version: env!("CARGO_PKG_VERSION") })? {
        say(format!("made {file}"));
    }
    say(format!("run its example: kvmtest run --subtests {dir} hello"));
    Ok(0)
}
