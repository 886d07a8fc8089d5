//! What is done with a state as a person would do it: the same command line, the same files, and
//! QMP typed.

mod typed;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kvmtest::Vm;

use crate::bare::connect;
use typed::Typed;

/// What a machine that came from a state was started with.
pub struct ByHand {
    program: PathBuf,
    args: Vec<String>,
    room: tempfile::TempDir,
}

/// What a migration by hand took.
pub struct Moved {
    /// From the start of the second QEMU until the guest runs there.
    pub whole: Duration,
    /// By QEMU's own account.
    pub total: Duration,
    /// For how long nobody ran, by QEMU's own account.
    pub downtime: Duration,
}

impl ByHand {
    /// The start of `vm`, which lives, and came from a state.
    pub fn of(vm: &Vm) -> Self {
        let record = vm.record().expect("it was started");
        let scratch = record.instance.scratch;
        let room =
            tempfile::tempdir_in(scratch.parent().expect("it is in one")).expect("a directory");
        let here = room.path().to_str().expect("UTF-8");
        for entry in std::fs::read_dir(&scratch).expect("it lives") {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            std::fs::hard_link(entry.path(), room.path().join(name)).expect("one file system");
        }
        let args = record.line.args.iter().map(|arg| arg.replace(scratch.as_str(), here)).collect();
        Self { program: record.line.program.into(), args, room }
    }

    /// From the start of QEMU to the first answer of its guest. The guest knows neither what time
    /// it is nor that others draw the same random numbers.
    pub fn start(&self) -> Duration {
        self.timed("")
    }

    /// The same, after the guest was told the time and given randomness.
    pub fn start_and_tell(&self) -> Duration {
        self.timed(&tell())
    }

    fn timed(&self, first: &str) -> Duration {
        let begun = Instant::now();
        let mut hand = self.restored();
        hand.answers(first);
        begun.elapsed()
    }

    /// A machine from the state, and a second QEMU to which it is moved by TCP.
    pub fn migrate(&self, other: &Self) -> Moved {
        let mut source = self.restored();
        source.answers("");
        let begun = Instant::now();
        let mut destination = other.qemu();
        let incoming = r#"{"execute":"migrate-incoming","arguments":{"uri":"tcp:127.0.0.1:0"}}"#;
        destination.monitor.types(incoming);
        let known = destination.monitor.types(r#"{"execute":"query-migrate"}"#);
        let port = known["socket-address"][0]["port"].as_str().expect("it listens");
        let migrate =
            format!(r#"{{"execute":"migrate","arguments":{{"uri":"tcp:127.0.0.1:{port}"}}}}"#);
        source.monitor.types(&migrate);
        let figures = loop {
            let figures = source.monitor.types(r#"{"execute":"query-migrate"}"#);
            match figures["status"].as_str() {
                Some("completed") => break figures,
                Some("failed") => panic!("{figures}"),
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        destination.goes_on();
        let milliseconds = |key| Duration::from_millis(figures[key].as_u64().expect("a number"));
        Moved {
            whole: begun.elapsed(),
            total: milliseconds("total-time"),
            downtime: milliseconds("downtime"),
        }
    }

    fn restored(&self) -> Hand {
        let mut hand = self.qemu();
        let shared = |on| {
            format!(
                r#"{{"execute":"migrate-set-capabilities","arguments":{{"capabilities":[{{"capability":"x-ignore-shared","state":{on}}}]}}}}"#
            )
        };
        hand.monitor.types(&shared(true));
        let incoming = r#"{"execute":"migrate-incoming","arguments":{"uri":"exec:cat <devices"}}"#;
        hand.monitor.types(incoming);
        hand.goes_on();
        hand.monitor.types(&shared(false));
        hand
    }

    /// QEMU, which waits for a machine.
    fn qemu(&self) -> Hand {
        let here = self.room.path();
        for entry in std::fs::read_dir(here).expect("ours") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|it| it == "sock" || it == "qmp") {
                std::fs::remove_file(path).expect("ours");
            }
        }
        let mut qemu = Command::new(&self.program)
            .args(&self.args)
            .current_dir(here)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was started before");
        let monitor = Typed::on(connect(&mut qemu, &here.join("harness.qmp")));
        let console = connect(&mut qemu, &here.join("serial0.sock"));
        Hand { qemu, monitor, console }
    }
}

/// A machine that a person started.
struct Hand {
    qemu: Child,
    monitor: Typed,
    console: UnixStream,
}

impl Hand {
    /// As soon as all of it has arrived.
    fn goes_on(&mut self) {
        while self.monitor.types(r#"{"execute":"query-status"}"#)["status"] == "inmigrate" {
            std::thread::yield_now();
        }
        self.monitor.types(r#"{"execute":"cont"}"#);
    }

    /// Types `first` and a command, and waits for the answer to that.
    fn answers(&mut self, first: &str) {
        let typed = format!("{first}echo an''swer\n");
        self.console.write_all(typed.as_bytes()).expect("the console listens");
        let mut seen = Vec::new();
        let mut piece = [0; 4096];
        while !seen.windows(7).any(|window| window == b"answer\r") {
            let read = self.console.read(&mut piece).expect("the console can be read");
            assert!(read > 0, "the console ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&piece[..read]);
        }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// What the guest's own `refresh` is told: the seconds, in six bits a letter, and randomness, which
/// need be none here.
fn tell() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let mut message = [0x55; 24];
    message[..4].copy_from_slice(&u32::try_from(now.as_secs()).expect("before 2106").to_le_bytes());
    message[4..8].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    let letters: String = message
        .chunks(3)
        .map(|group| u32::from_le_bytes([group[0], group[1], group[2], 0]))
        .flat_map(|bits| [18, 12, 6, 0].map(|shift| b'0' + ((bits >> shift) & 0x3f) as u8))
        .map(char::from)
        .collect();
    format!("refresh '{letters}'\n")
}
