//! `scripts/prepare` on machines that lack this or that: each test makes a `PATH` of its own, with
//! a package manager that only writes down how it was called.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the script looks for, beside Rust.
const PROGRAMS: [&str; 5] = ["qemu-system-x86_64", "qemu-img", "ssh", "mke2fs", "cc"];
/// What the script is made of.
const TOOLS: [&str; 7] = ["sh", "sed", "sort", "head", "dirname", "env", "touch"];

const INSTALL: &str = "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet \
                       --no-install-recommends -o DPkg::Lock::Timeout=300";

/// A directory of programs that serves as `PATH`.
struct Machine {
    dir: tempfile::TempDir,
}

/// What one run of the script left.
struct Ran {
    success: bool,
    output: String,
    errors: String,
    /// How `apt-get` was called, a line for each call.
    calls: Vec<String>,
}

impl Machine {
    /// A machine that lacks nothing; its user is root.
    fn complete() -> Self {
        let machine = Self { dir: tempfile::tempdir().expect("a directory") };
        for tool in TOOLS {
            symlink(real(tool), machine.path(tool)).expect("linked");
        }
        machine.rust("99.0.0");
        for program in PROGRAMS {
            machine.add(program, "");
        }
        machine.add("cc", "echo /dev/null");
        machine.add("id", "echo 0");
        machine.apt_get("");
        machine
    }

    fn without(self, programs: &[&str]) -> Self {
        for program in programs {
            fs::remove_file(self.path(program)).expect("removed");
        }
        self
    }

    fn with_user_and_sudo(self) -> Self {
        self.add("id", "echo 1000");
        self.add("sudo", &format!("echo \"sudo $*\" >>{}; \"$@\"", self.log().display()));
        self
    }

    fn rust(&self, version: &str) {
        for program in ["cargo", "rustc"] {
            self.add(program, &format!("echo '{program} {version} (of a test)'"));
        }
    }

    /// A package manager that writes its call down and then does as `then` says.
    fn apt_get(&self, then: &str) {
        self.add("apt-get", &format!("echo \"apt-get $*\" >>{}\n{then}", self.log().display()));
    }

    fn add(&self, name: &str, body: &str) {
        kvmtest_tests::write_executable(self.path(name), format!("#!/bin/sh\n{body}\n"));
    }

    fn prepare(&self) -> Ran {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/prepare");
        let output =
            Command::new(script).env("PATH", self.dir.path()).output().expect("the script starts");
        let calls = fs::read_to_string(self.log()).unwrap_or_default();
        Ran {
            success: output.status.success(),
            output: String::from_utf8(output.stdout).expect("UTF-8"),
            errors: String::from_utf8(output.stderr).expect("UTF-8"),
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("calls")
    }
}

/// Where a tool is on the machine that runs the test.
fn real(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    std::env::split_paths(&path)
        .map(|dir| dir.join(tool))
        .find(|file| file.exists())
        .unwrap_or_else(|| panic!("{tool} is on the PATH"))
}

#[test]
fn a_machine_that_lacks_nothing_is_left_alone() {
    let ran = Machine::complete().prepare();
    assert!(ran.success, "{}", ran.errors);
    assert_eq!((ran.output.as_str(), ran.calls.len()), ("", 0));
}

#[test]
fn root_installs_exactly_what_is_missing_and_says_so_before() {
    let ran = Machine::complete().without(&["qemu-system-x86_64", "ssh"]).prepare();
    assert!(ran.success, "{}", ran.errors);
    assert_eq!(
        ran.output,
        format!(
            "missing here: qemu-system-x86 openssh-client\n\
             ==> apt-get update --quiet\n\
             ==> {INSTALL} qemu-system-x86 openssh-client\n"
        )
    );
    assert_eq!(
        ran.calls,
        [
            "apt-get update --quiet",
            "apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 \
             qemu-system-x86 openssh-client"
        ]
    );
}

#[test]
fn others_install_with_sudo() {
    let ran = Machine::complete().with_user_and_sudo().without(&["qemu-img"]).prepare();
    assert!(ran.success, "{}", ran.errors);
    assert!(ran.output.contains("==> sudo apt-get update"), "{}", ran.output);
    assert!(ran.output.contains(&format!("==> sudo {INSTALL} qemu-utils")), "{}", ran.output);
    assert_eq!(ran.calls[2], format!("sudo {INSTALL} qemu-utils"));
}

#[test]
fn without_sudo_the_command_for_root_is_shown() {
    let machine = Machine::complete().without(&["qemu-img"]);
    machine.add("id", "echo 1000");
    let ran = machine.prepare();
    assert!(!ran.success && ran.calls.is_empty());
    assert!(ran.errors.contains("apt-get install qemu-utils   (as root)"), "{}", ran.errors);
}

#[test]
fn a_second_run_finds_what_the_first_installed() {
    let machine = Machine::complete().without(&["qemu-img"]);
    let program = machine.path("qemu-img");
    machine.apt_get(&format!("if [ $1 = install ]; then cp $0 {}; fi", program.display()));
    symlink(real("cp"), machine.path("cp")).expect("linked");
    assert_eq!(machine.prepare().calls.len(), 2);
    let again = machine.prepare();
    assert!(again.success);
    assert_eq!((again.output.as_str(), again.calls.len()), ("", 2));
}

#[test]
fn a_compiler_that_cannot_link_needs_the_c_library() {
    let machine = Machine::complete();
    machine.add("cc", "echo crt1.o");
    let ran = machine.prepare();
    assert!(ran.output.contains("missing here: libc6-dev\n"), "{}", ran.output);
}

#[test]
fn no_compiler_needs_both() {
    let ran = Machine::complete().without(&["cc"]).prepare();
    assert!(ran.output.contains("missing here: gcc libc6-dev\n"), "{}", ran.output);
}

#[test]
fn old_package_lists_are_tried() {
    let machine = Machine::complete().without(&["qemu-img"]);
    machine.apt_get("[ $1 != update ]");
    let ran = machine.prepare();
    assert!(ran.success);
    assert_eq!(ran.calls.len(), 2);
    assert!(ran.errors.contains("trying with the lists that are there"), "{}", ran.errors);
}

#[test]
fn a_failed_installation_is_an_error() {
    let machine = Machine::complete().without(&["qemu-img"]);
    machine.apt_get("[ $1 != install ]");
    let ran = machine.prepare();
    assert!(!ran.success);
    assert!(ran.errors.contains("could not install: qemu-utils"), "{}", ran.errors);
}

#[test]
fn without_a_package_manager_the_packages_are_named() {
    let ran = Machine::complete().without(&["apt-get", "qemu-img"]).prepare();
    assert!(!ran.success);
    assert!(ran.errors.contains("missing here: qemu-utils"), "{}", ran.errors);
}

#[test]
fn rust_is_asked_for_before_anything_is_installed() {
    for missing in ["cargo", "rustc"] {
        let ran = Machine::complete().without(&[missing, "qemu-img"]).prepare();
        assert!(!ran.success && ran.calls.is_empty());
        assert!(ran.errors.contains(&format!("`{missing}` is missing: Rust")), "{}", ran.errors);
        assert!(ran.errors.contains("  try: "), "{}", ran.errors);
    }
}

#[test]
fn versions_of_rust_are_compared_as_versions() {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let check = |version: &str, expected: bool| {
        let machine = Machine::complete();
        machine.rust(version);
        let ran = machine.prepare();
        assert_eq!(ran.success, expected, "{version}: {}", ran.errors);
        assert_eq!(ran.errors.contains(&format!("too old: {version}")), !expected);
    };
    check("1.9.0", false);
    check("1.63.0", false);
    check(&format!("{wanted}.0"), true);
    check("1.100.0", true);
    check("1.99.0-nightly", true);
}

#[test]
fn a_cargo_without_a_toolchain_is_an_error_with_the_command() {
    let machine = Machine::complete();
    machine.add("cargo", "echo 'no default toolchain' >&2; exit 1");
    machine.add("rustup", "");
    let ran = machine.prepare();
    assert!(!ran.success);
    assert!(ran.errors.contains("no default toolchain"), "{}", ran.errors);
    assert!(ran.errors.contains("try: rustup default stable"), "{}", ran.errors);
}
