//! Programs of the host: where they are, and how to get those that are missing.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Access, access};

/// Where the program `name` is: a path that is executable, or a name on `PATH`, or one among the
/// administrator's programs (`/usr/sbin` and its like), which are not on everybody's `PATH`.
pub fn find(name: &str) -> Option<Utf8PathBuf> {
    if name.contains('/') {
        let path = camino::absolute_utf8(name).ok()?;
        return is_executable(&path).then_some(path);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    find_on(&path, name).or_else(|| find_on("/usr/local/sbin:/usr/sbin:/sbin", name))
}

/// Whether `path` is a file that this process may execute.
pub fn is_executable(path: &Utf8Path) -> bool {
    path.is_file() && access(path.as_std_path(), Access::EXEC_OK).is_ok()
}

/// The command that installs the program `name` here; nothing for a program that is not known.
pub fn install_command(name: &str) -> Option<String> {
    let manager = MANAGERS.iter().find(|manager| find(manager.program).is_some());
    command(name, manager.unwrap_or(&MANAGERS[0]))
}

/// A package manager.
struct Manager {
    program: &'static str,
    command: &'static str,
    /// Which of the names in [`PACKAGES`] is its own.
    column: usize,
}

const MANAGERS: [Manager; 4] = [
    Manager { program: "apt-get", command: "apt-get install", column: 0 },
    Manager { program: "dnf", command: "dnf install", column: 1 },
    Manager { program: "zypper", command: "zypper install", column: 2 },
    Manager { program: "pacman", command: "pacman -S", column: 3 },
];

/// A program, and the package that has it: Debian, Fedora, SUSE, Arch.
const PACKAGES: [(&str, [&str; 4]); 21] = [
    ("qemu-system-x86_64", ["qemu-system-x86", "qemu-kvm", "qemu-x86", "qemu-system-x86"]),
    ("qemu-img", ["qemu-utils", "qemu-img", "qemu-img", "qemu-img"]),
    ("ssh", ["openssh-client", "openssh-clients", "openssh-clients", "openssh"]),
    ("scp", ["openssh-client", "openssh-clients", "openssh-clients", "openssh"]),
    ("dpkg-deb", ["dpkg", "dpkg", "dpkg", "dpkg"]),
    ("apt-get", ["apt", "apt", "apt", "apt"]),
    ("mke2fs", ["e2fsprogs", "e2fsprogs", "e2fsprogs", "e2fsprogs"]),
    ("cpio", ["cpio", "cpio", "cpio", "cpio"]),
    ("depmod", ["kmod", "kmod", "kmod", "kmod"]),
    ("ip", ["iproute2", "iproute", "iproute2", "iproute2"]),
    ("python3", ["python3", "python3", "python3", "python"]),
    ("socat", ["socat", "socat", "socat", "socat"]),
    ("swtpm", ["swtpm", "swtpm", "swtpm", "swtpm"]),
    ("genisoimage", ["genisoimage", "genisoimage", "mkisofs", "cdrtools"]),
    ("xorriso", ["xorriso", "xorriso", "xorriso", "libisoburn"]),
    ("tcpdump", ["tcpdump", "tcpdump", "tcpdump", "tcpdump"]),
    ("vmstat", ["procps", "procps-ng", "procps", "procps-ng"]),
    ("iostat", ["sysstat", "sysstat", "sysstat", "sysstat"]),
    ("mpstat", ["sysstat", "sysstat", "sysstat", "sysstat"]),
    ("perf", ["linux-perf", "perf", "perf", "perf"]),
    ("ffmpeg", ["ffmpeg", "ffmpeg-free", "ffmpeg", "ffmpeg"]),
];

fn command(name: &str, manager: &Manager) -> Option<String> {
    let (_, packages) = PACKAGES.iter().find(|(program, _)| *program == name)?;
    Some(format!("{} {}", manager.command, packages[manager.column]))
}

fn find_on(path: &str, name: &str) -> Option<Utf8PathBuf> {
    // An empty entry would mean the working directory: what lies there is nobody's program.
    path.split(':')
        .filter(|dir| dir.starts_with('/'))
        .map(|dir| Utf8Path::new(dir).join(name))
        .find(|path| is_executable(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_on_the_path_is_a_file_that_runs() {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(dir.path()).expect("UTF-8");
        for (place, mode) in [("a", 0o644), ("b", 0o755), ("c", 0o755)] {
            std::fs::create_dir(dir.join(place)).expect("made");
            let file = dir.join(place).join("tool");
            std::fs::write(&file, "").expect("written");
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("set");
        }
        std::fs::create_dir_all(dir.join("d/tool")).expect("made");
        let check = |path: &str, expected: Option<&str>| {
            let path = path.replace('@', dir.as_str());
            assert_eq!(
                find_on(&path, "tool"),
                expected.map(|dir_name| dir.join(dir_name).join("tool"))
            );
        };
        check("@/a:@/b:@/c", Some("b"));
        check("@/c:@/b", Some("c"));
        check("@/d:@/none::.:@/c", Some("c"));
        check("@/a:@/d", None);
        check("", None);
    }

    #[test]
    fn each_distribution_has_its_command() {
        let check = |manager: usize, name: &str, expected: Option<&str>| {
            assert_eq!(command(name, &MANAGERS[manager]).as_deref(), expected);
        };
        check(0, "qemu-img", Some("apt-get install qemu-utils"));
        check(1, "qemu-img", Some("dnf install qemu-img"));
        check(2, "ssh", Some("zypper install openssh-clients"));
        check(3, "scp", Some("pacman -S openssh"));
        check(0, "no-such-program", None);
    }
}
