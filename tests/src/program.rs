//! Where the programs are.

use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};

/// The program that is tested: `KVMTEST_PROGRAM`, or else the one of this source tree, which is
/// built first, for `cargo test` builds no other package's program.
pub fn program() -> &'static Utf8Path {
    static PROGRAM: OnceLock<Utf8PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var("KVMTEST_PROGRAM") {
        Ok(path) => camino::absolute_utf8(path).expect("a working directory"),
        Err(_) => build(),
    })
}

/// Sees to it that the package for Python lies beside the program: `make python` lays it there.
pub fn python_package() {
    static THERE: OnceLock<()> = OnceLock::new();
    THERE.get_or_init(|| {
        let folder = program().parent().expect("it is in a folder");
        if folder.join("python/kvmtest/__init__.py").is_file() {
            return;
        }
        let profile = folder.file_name().expect("a profile");
        let script = tree().join("scripts/python-package");
        let output = Command::new(script).arg(profile).output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// The program that passes for QEMU.
pub fn fake_qemu() -> Utf8PathBuf {
    let path = folder().join("fake-qemu");
    assert!(path.is_file(), "{path} is not built: `cargo test` builds it");
    path
}

/// The root of the source tree.
pub fn tree() -> &'static Utf8Path {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is in a tree")
}

fn build() -> Utf8PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "kvmtest-cli"]).current_dir(tree());
    let folder = folder();
    if folder.file_name() == Some("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo starts");
    assert!(status.success(), "the program does not build");
    folder.join("kvmtest")
}

/// Where the profile of this test puts its programs.
fn folder() -> Utf8PathBuf {
    let this = std::env::current_exe().expect("a path");
    let this = Utf8PathBuf::from_path_buf(this).expect("UTF-8");
    this.ancestors().nth(2).expect("tests are in `deps`").to_owned()
}
