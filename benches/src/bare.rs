//! QEMU without us: the same command, from exec to login to exit.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the script that a test left of its QEMU command, logs in on the console as soon as the
/// guest lets it, and ends QEMU.
pub fn boot_bare(script: &Path) -> Duration {
    let room = tempfile::tempdir().expect("a directory can be made");
    let start = Instant::now();
    let mut qemu = Command::new("sh")
        .arg(script)
        .arg(room.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the script can be started");
    let mut console = connect(&mut qemu, &room.path().join("serial0.sock"));
    read_until(&mut console, b"login: ");
    console.write_all(b"root\n").expect("the console listens");
    read_until(&mut console, b"assword: ");
    console.write_all(b"kvmtest\n").expect("the console listens");
    read_until(&mut console, b"# ");
    qemu.kill().expect("it runs");
    qemu.wait().expect("it is ours");
    start.elapsed()
}

/// QEMU opens the socket a few milliseconds after its start; a bench may look again and again.
pub(crate) fn connect(qemu: &mut Child, socket: &Path) -> UnixStream {
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return stream;
        }
        assert!(matches!(qemu.try_wait(), Ok(None)), "QEMU ended before it opened its console");
        std::thread::yield_now();
    }
}

fn read_until(console: &mut UnixStream, sign: &[u8]) {
    let mut seen = Vec::new();
    let mut piece = [0; 4096];
    while !seen.windows(sign.len()).any(|window| window == sign) {
        let read = console.read(&mut piece).expect("the console can be read");
        assert!(read > 0, "the console ended: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&piece[..read]);
    }
}
