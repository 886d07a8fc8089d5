//! For tests: a real QEMU with a monitor and nothing else, killed when dropped.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use super::super::QmpMonitor;
use crate::deadline::Deadline;
use crate::wait;

/// Far more than anything takes: only a hang gets there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A QEMU that a test started by hand.
pub(crate) struct Machine {
    pub(crate) monitor: QmpMonitor,
    pub(crate) pidfd: OwnedFd,
    /// Its working directory.
    pub(crate) directory: Utf8PathBuf,
    child: Child,
    _directory: tempfile::TempDir,
}

impl Machine {
    /// Starts a stopped machine of 64 MiB without any device, but for what `args` say. Nothing
    /// where QEMU is not installed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) fn start(args: &[&str]) -> Option<Self> {
        // Another binary than the one in the path can be tried: KVMTEST_QEMU=/opt/qemu/bin/…
        let named = std::env::var("KVMTEST_QEMU").ok();
        let program = named.unwrap_or_else(|| "qemu-system-x86_64".to_owned());
        let keep = tempfile::tempdir().expect("a directory");
        let directory = Utf8PathBuf::try_from(keep.path().to_owned()).expect("UTF-8");
        let listener = UnixListener::bind(directory.join("qmp")).expect("a socket");
        let child = Command::new(&program)
            .args(["-nodefaults", "-nographic", "-S", "-accel", "tcg", "-m", "64"])
            .args(["-chardev", "socket,id=m,path=qmp", "-mon", "chardev=m,mode=control"])
            .args(args)
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: `{program}` is not installed");
            return None;
        };
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("our child");
        let deadline = Deadline::after(PATIENCE);
        let [greets, _ended] =
            wait::readable([listener.as_fd(), pidfd.as_fd()], deadline).expect("no interrupt");
        assert!(greets, "QEMU did not start: {}", end(&mut child));
        let (stream, _) = listener.accept().expect("a connection");
        let monitor = QmpMonitor::connect("m1", stream, None, deadline).expect("a monitor");
        Some(Self { monitor, pidfd, directory, child, _directory: keep })
    }

    /// A path in its directory.
    pub(crate) fn at(&self, name: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.directory.join(name.as_ref())
    }

    /// Has it killed: its monitor closes after that.
    pub(crate) fn signal_kill(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends a child, and gives back what it had said.
fn end(child: &mut Child) -> String {
    let _ = child.kill();
    let _ = child.wait();
    let mut words = String::new();
    if let Some(mut errors) = child.stderr.take() {
        let _ = errors.read_to_string(&mut words);
    }
    words
}
