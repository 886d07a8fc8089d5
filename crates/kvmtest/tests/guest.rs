//! The built guest, from outside: it boots, does what its page promises, and two builds of it are
//! the same bytes. Skipped, with a sentence, where it is not built.

#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Deadline;
use kvmtest::guest::{Guest, GuestStore, Os};
use sha2::{Digest, Sha256};

const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn the_guest_boots_to_a_login_and_shuts_down() {
    let Some((_, guest)) = built() else { return };
    let Some(mut machine) = Machine::start(&guest) else { return };
    let os = <&Os>::default();
    machine.until("kvmtest login: ");
    machine.send(os.username);
    machine.until("Password: ");
    machine.send(os.password);
    machine.until("# ");
    for (command, expected) in [
        ("id -un", "id -un\r\nroot\r\n"),
        ("hostname", "hostname\r\nkvmtest\r\n"),
        ("false; echo $?", "echo $?\r\n1\r\n"),
        // The drivers are there with the login; the mount comes a little later.
        // The generator has to have begun, and without a device for it begins when it is needed.
        ("[ -p /run/refresh ] && pidof refresh > /dev/null; echo $?", "echo $?\r\n0\r\n"),
        ("ls /dev/vda /sys/class/net", "/dev/vda\r\n\r\n/sys/class/net:\r\neth0  lo\r\n"),
        (
            "until [ -e /data/README ]; do sleep 0.1; done; echo mounted",
            "done; echo mounted\r\nmounted\r\n",
        ),
        ("until pidof dropbear; do sleep 0.1; done > /dev/null; echo up", "echo up\r\nup\r\n"),
    ] {
        machine.send(command);
        let output = machine.until("# ");
        assert!(output.contains(expected), "{command}: {output:?}");
        assert!(!output.contains('\u{1b}'), "an escape sequence after {command}: {output:?}");
    }
    machine.send(os.shutdown_command);
    let rest = machine.rest();
    assert!(rest.contains("Power down"), "{rest:?}");
}

#[test]
fn two_builds_are_the_same_bytes() {
    let Some((store, _)) = built() else { return };
    let downloads = store.directory().join(".downloads");
    if !downloads.exists() {
        println!("skipped: nothing is kept of the downloads in {downloads}");
        return;
    }
    let digests = [(), ()].map(|()| {
        let directory = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(directory.path()).expect("UTF-8");
        std::os::unix::fs::symlink(&downloads, path.join(".downloads")).expect("a link");
        let guest = GuestStore::at(path).build("small", &mut |_| ()).expect("a build");
        let manifest = guest.directory.join("manifest.json");
        let files = [guest.kernel, guest.initrd, guest.data_disk, manifest].map(digest);
        let names: Vec<String> = guest
            .directory
            .parent()
            .expect("the guest's directory")
            .read_dir_utf8()
            .expect("readable")
            .map(|entry| entry.expect("an entry").file_name().to_owned())
            .collect();
        assert_eq!(names.len(), 2, "only the build and its name are left: {names:?}");
        (guest.hash, files)
    });
    assert_eq!(digests[0], digests[1]);
}

fn built() -> Option<(GuestStore, Guest)> {
    let store = GuestStore::open().expect("a cache directory");
    match store.find("small") {
        Ok(guest) => Some((store, guest)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn digest(path: Utf8PathBuf) -> Vec<u8> {
    Sha256::digest(std::fs::read(path).expect("a file")).to_vec()
}

/// QEMU with its first serial port on its standard input and output.
struct Machine {
    qemu: Child,
    pending: Vec<u8>,
    deadline: Deadline,
}

impl Machine {
    fn start(guest: &Guest) -> Option<Self> {
        let disk = format!("file={},if=none,id=disk,snapshot=on,format=qcow2", guest.data_disk);
        let started = Command::new("qemu-system-x86_64")
            .args(["-nodefaults", "-M", "q35", "-accel", "tcg", "-m", "256", "-no-reboot"])
            .args(["-display", "none", "-serial", "stdio"])
            .args(["-kernel", guest.kernel.as_str(), "-initrd", guest.initrd.as_str()])
            .args(["-append", &guest.kernel_params, "-drive", &disk])
            .args(["-device", "virtio-blk-pci,drive=disk", "-netdev", "user,id=net"])
            .args(["-device", "virtio-net-pci,netdev=net"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        match started {
            Ok(qemu) => {
                Some(Self { qemu, pending: Vec::new(), deadline: Deadline::after(PATIENCE) })
            }
            Err(error) => {
                println!("skipped: cannot start qemu-system-x86_64: {error}");
                None
            }
        }
    }

    fn send(&mut self, line: &str) {
        let console = self.qemu.stdin.as_mut().expect("piped");
        console.write_all(format!("{line}\n").as_bytes()).expect("written");
    }

    /// What comes until `mark` has come; what was sent meanwhile is echoed in it.
    fn until(&mut self, mark: &str) -> String {
        loop {
            let found =
                self.pending.windows(mark.len()).position(|window| window == mark.as_bytes());
            if let Some(at) = found {
                let rest = self.pending.split_off(at + mark.len());
                let output = std::mem::replace(&mut self.pending, rest);
                return String::from_utf8_lossy(&output).into_owned();
            }
            assert!(self.read(), "ended before {mark:?}: {}", self.text());
        }
    }

    fn rest(&mut self) -> String {
        while self.read() {}
        self.text()
    }

    /// Whether there was something before the end.
    fn read(&mut self) -> bool {
        let console = self.qemu.stdout.as_mut().expect("piped");
        let ready = kvmtest::wait::readable([console.as_fd()], self.deadline).expect("no error");
        assert_eq!(ready, [true], "silent: {}", String::from_utf8_lossy(&self.pending));
        let mut buffer = [0; 4096];
        let count = console.read(&mut buffer).expect("readable");
        self.pending.extend_from_slice(&buffer[..count]);
        count > 0
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
