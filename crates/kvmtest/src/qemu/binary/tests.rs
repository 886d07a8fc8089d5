//! Binaries that are none, that misbehave, and the one that is installed here.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::qemu::Version;

const GREETING: &str = r#"{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}"#;

/// A directory with programs in it.
struct Programs {
    dir: tempfile::TempDir,
}

impl Programs {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).expect("UTF-8").join(name)
    }

    fn write(&self, name: &str, mode: u32, content: &str) -> Utf8PathBuf {
        let path = self.path(name);
        kvmtest_tests::write_executable(&path, content);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("set");
        path
    }

    fn script(&self, body: &str) -> Utf8PathBuf {
        self.write("qemu-fake", 0o755, &format!("#!/bin/sh\n{body}\n"))
    }
}

fn patient() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// Nothing that has to be started answers by then.
fn at_once() -> Deadline {
    Deadline::after(Duration::ZERO)
}

/// The error of a script that poses as QEMU.
fn error_of(body: &str, deadline: Deadline) -> Error {
    let programs = Programs::new();
    let path = programs.script(body);
    Binary::from_path(path, None, deadline).expect_err("it is no QEMU")
}

fn installed() -> Option<Utf8PathBuf> {
    let path = program::find("qemu-system-x86_64");
    if path.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: qemu-system-x86_64 is not installed");
    }
    path
}

#[test]
fn a_binary_that_dies_is_quoted() {
    let check = |body: &str, parts: &[&str]| {
        let error = error_of(body, patient());
        assert_eq!(error.kind(), ErrorKind::VmCreate, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part:?} in {error}");
        }
    };
    check(
        "echo 'qemu: cannot load firmware' >&2; exit 3",
        &["cannot load firmware", "exit status 3", "qemu-fake"],
    );
    check("exit 0", &["said nothing", "exit status 0"]);
    check("kill -KILL $$", &["killed by signal 9", "said nothing"]);
    check("printf '\\033[2J\\377' >&2; exit 1", &["\\u{1b}[2J\u{fffd}"]);
    // After the greeting.
    check(&format!("echo '{GREETING}'; echo 'out of memory' >&2; exit 1"), &["out of memory"]);
    // Somebody else keeps its output open.
    check("sleep 600 & echo 'left behind' >&2; exit 1", &["left behind", "exit status 1"]);
}

#[test]
fn a_binary_whose_help_fails_is_quoted() {
    let Some(qemu) = installed() else { return };
    let body =
        format!("case $1 in -help) echo 'no help today' >&2; exit 4;; esac; exec {qemu} \"$@\"");
    let error = error_of(&body, patient());
    assert_eq!(error.kind(), ErrorKind::VmCreate, "{error}");
    assert!(error.to_string().contains("no help today"), "{error}");
}

#[test]
fn a_program_that_speaks_otherwise_is_told() {
    let check = |body: &str, kind: ErrorKind, part: &str| {
        let error = error_of(body, patient());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(part), "{part:?} in {error}");
    };
    check("echo 'login: '; exec sleep 600", ErrorKind::Host, "it said `login:`");
    check("printf 'no line'; exit 0", ErrorKind::Host, "it said `no line`");
    check("echo; exec sleep 600", ErrorKind::Host, "does not greet");
    check("echo '{\"QMP\": 1}'; exec sleep 600", ErrorKind::Host, "does not greet");
    check("printf '\\377\\376\\033\\n'; exec sleep 600", ErrorKind::Host, "\\u{1b}");
    let garbled = format!("echo '{GREETING}'; echo '{{\"return\"'; exec sleep 600");
    check(&garbled, ErrorKind::Monitor, "does not speak QMP");
    check("exec tr '\\0' x < /dev/zero", ErrorKind::Host, "far more than QEMU");
    check("exec tr '\\0' x < /dev/zero >&2", ErrorKind::Host, "far more than QEMU");
}

#[test]
fn an_old_binary_is_told_what_is_needed() {
    let old = GREETING.replace("\"major\": 7", "\"major\": 5");
    let error = error_of(&format!("echo '{old}'; exec sleep 600"), patient());
    assert_eq!(error.kind(), ErrorKind::Host);
    let text = error.to_string();
    assert!(text.contains("is QEMU 5.2.0, which is too old: needed is 6.2.0"), "{text}");
}

#[test]
fn a_binary_that_hangs_is_given_up() {
    for body in [
        "exec sleep 600",
        "exec >&-; exec sleep 600",
        "exec 2>&-; exec sleep 600",
        &format!("echo '{GREETING}'; exec sleep 600"),
        &format!("echo '{GREETING}'; echo '{{\"return\": {{}}, \"id\": 7}}'; exec sleep 600"),
    ] {
        let error = error_of(body, Deadline::after(Duration::from_millis(300)));
        assert_eq!(error.kind(), ErrorKind::MonitorTimeout, "{body}: {error}");
    }
}

#[test]
fn nothing_of_a_binary_that_hangs_is_left() {
    let programs = Programs::new();
    let note = programs.path("pid");
    // The wrapper is killed, and what it has started goes with it.
    let path = programs.script(&format!("sleep 600 & echo $! > {note}; echo '{{}}'; wait"));
    Binary::from_path(path, None, patient()).expect_err("it is no QEMU");
    let pid = std::fs::read_to_string(&note).expect("noted").trim().parse().expect("a number");
    let deadline = patient();
    // It was sent SIGKILL before the error came; whoever inherits it reaps it.
    while let Ok(process) = crate::host::ProcessId::of(pid) {
        let Some(fd) = process.open().expect("asked") else { break };
        let ended = crate::wait::readable([std::os::fd::AsFd::as_fd(&fd)], deadline);
        assert_eq!(ended.expect("asked"), [true], "process {pid} is left");
    }
}

#[test]
fn what_cannot_be_started_is_told_with_what_mends_it() {
    let programs = Programs::new();
    let check = |name: &str, parts: &[&str]| {
        let error = Binary::find(name).expect_err("not to be started");
        assert_eq!(error.kind(), ErrorKind::Host, "{error}");
        for part in parts {
            assert!(error.to_string().contains(part), "{part:?} in {error}");
        }
    };
    check("qemu-no-such-program", &["no program `qemu-no-such-program` on PATH", "install"]);
    check(programs.path("absent").as_str(), &["there is no file", "name one that is there"]);
    let why = locate(programs.path("absent").as_str()).expect_err("absent").to_string();
    assert!(!why.contains("install"), "{why}");
    check(programs.path("").as_str(), &["is a directory"]);
    let text = programs.write("text", 0o644, "x");
    check(text.as_str(), &["is not executable", "chmod +x"]);
    check(text.join("below").as_str(), &["cannot be reached"]);
    let alien = programs.write("alien", 0o755, "no program at all");
    check(alien.as_str(), &["cannot be executed"]);
    let orphan = programs.write("orphan", 0o755, "#!/no/such/interpreter\n");
    check(orphan.as_str(), &["cannot be executed"]);
}

#[test]
fn the_installed_binary_tells_what_it_can_do() {
    let Some(path) = installed() else { return };
    let qemu = Binary::from_path(path, None, patient()).expect("it works");
    assert!(qemu.version() >= Version::OLDEST);
    assert_eq!(qemu.target(), "x86_64");
    assert!(qemu.has_accelerator("tcg"));
    assert!(qemu.has_machine("q35") && qemu.has_machine("pc") && !qemu.has_machine("virt"));
    assert!(qemu.machine("q35").expect("an alias").name.starts_with("pc-q35-"));
    assert!(qemu.has_device("virtio-net-pci") && !qemu.has_device("no-such-device"));
    assert!(!qemu.has_device("pci-device"), "abstract types are no devices");
    assert!(qemu.has_object("memory-backend-file") && !qemu.has_object("e1000"));
    assert!(qemu.has_chardev("socket") && !qemu.has_chardev("chardev-socket"));
    assert!(qemu.has_netdev("socket") && qemu.has_netdev("tap"));
    assert!(qemu.has_block_driver("qcow2") && !qemu.has_block_driver("qcow9"));
    assert!(qemu.has_migration_capability("x-ignore-shared"));
    assert!(qemu.has_cpu("qemu64") && qemu.has_cpu("max"));
    assert!(qemu.has_command("screendump") && !qemu.has_command("SHUTDOWN"));
    assert!(qemu.has_argument("screendump", "filename"));
    assert!(qemu.has_event("SHUTDOWN"));
    assert!(qemu.has_option("nodefaults") && !qemu.has_option("no-such-option"));
    assert!(qemu.has_option_parameter("machine", "usb"));
    assert!(qemu.has_option("no-hpet") || qemu.has_option_parameter("machine", "hpet"));
    assert!(qemu.has_option_parameter("smp", "cores"));
}

#[test]
fn a_binary_is_asked_once_until_it_changes() {
    let Some(path) = installed() else { return };
    let programs = Programs::new();
    let link = programs.path("qemu-link");
    std::os::unix::fs::symlink(&path, &link).expect("linked");
    let cache = Cache::at(&programs.path("cache")).expect("a cache");
    let find = |deadline| Binary::from_path(link.clone(), Some(&cache), deadline);
    let unknown = |why: &str| {
        let error = find(at_once()).expect_err(why);
        assert_eq!(error.kind(), ErrorKind::MonitorTimeout, "{why}: {error}");
    };

    unknown("never asked");
    let asked = find(patient()).expect("it works");
    let known = find(at_once()).expect("known");
    assert_eq!(known.capabilities(), asked.capabilities());

    let file = cache.file(&link);
    let whole = std::fs::read(&file).expect("remembered");
    let mut alien = String::new();
    write!(alien, "{{\"version\":99,{}", &String::from_utf8_lossy(&whole)[13..]).expect("text");
    for broken in [&whole[..whole.len() / 2], b"\0\xff", b"", alien.as_bytes()] {
        std::fs::write(&file, broken).expect("written");
        unknown("the memory is broken");
    }
    find(patient()).expect("asked again");
    assert_eq!(std::fs::read(&file).expect("remembered"), whole, "rewritten");

    std::fs::remove_file(&link).expect("removed");
    let other = program::find("true").expect("`true` is everywhere");
    std::os::unix::fs::symlink(other, &link).expect("linked");
    find(at_once()).expect_err("it is another binary now");
}

#[test]
fn a_script_is_asked_each_time() {
    let Some(path) = installed() else { return };
    let programs = Programs::new();
    let script = programs.script(&format!("exec {path} \"$@\""));
    let cache = Cache::at(&programs.path("cache")).expect("a cache");
    Binary::from_path(script.clone(), Some(&cache), patient()).expect("it works");
    let error = Binary::from_path(script.clone(), Some(&cache), at_once()).expect_err("asked");
    assert_eq!(error.kind(), ErrorKind::MonitorTimeout);
    assert!(!cache.file(&script).exists());
}
