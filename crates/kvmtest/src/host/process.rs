//! The identity of a process: a number alone is reused, a number with its start time is not.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::boot_id;
use crate::error::{Context, Error, ErrorKind, Result};

/// One very process, now and for ever: it can be written to a file and found again by another
/// process, which then never mistakes a later process of the same number for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number, as this process's PID namespace counts.
    pub pid: u32,
    /// When it started, in clock ticks since the host's boot.
    pub start_time: u64,
    /// The boot of the host in which it started.
    pub boot_id: String,
}

impl ProcessId {
    /// The identity of the living process `pid`; a zombie is none.
    pub fn of(pid: u32) -> Result<Self> {
        match living_stat(pid)? {
            Some(stat) => {
                Ok(Self { pid, start_time: stat.start_time, boot_id: boot_id()?.to_owned() })
            }
            None => Err(Error::new(ErrorKind::Host, format!("no living process has the id {pid}"))),
        }
    }

    /// The identity of a child that the caller has not waited for: it may have ended already, but
    /// its number is still its own.
    pub(crate) fn of_child(pid: u32) -> Result<Self> {
        match stat(pid)? {
            Some(stat) => {
                Ok(Self { pid, start_time: stat.start_time, boot_id: boot_id()?.to_owned() })
            }
            None => Err(Error::new(ErrorKind::Host, format!("no process has the id {pid}"))),
        }
    }

    /// The identity of the calling process.
    pub fn own() -> Result<Self> {
        Self::of(std::process::id())
    }

    /// A descriptor of the process, which is good for signals and can be read once it has ended;
    /// nothing if it is gone, or a zombie that nobody has waited for yet.
    pub fn open(&self) -> Result<Option<OwnedFd>> {
        let Some(pid) = self.raw_pid() else { return Ok(None) };
        // The descriptor comes first: it stays with whatever has the number now, so that what is
        // read under the number afterwards, with the start time right, is of the same process.
        let fd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => fd,
            // The number is free, or was given to a thread of some process.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
            Err(error) => {
                return Err(Error::from(error).context(format!("opening process {}", self.pid)));
            }
        };
        Ok(self.matches()?.then_some(fd))
    }

    /// Whether the process still runs. A zombie does not.
    pub fn is_alive(&self) -> Result<bool> {
        self.matches()
    }

    /// How much memory it has resident, in bytes; nothing if it is gone.
    pub fn rss_bytes(&self) -> Result<Option<u64>> {
        let Some(text) = read_proc(self.pid, "statm")? else { return Ok(None) };
        // Asked afterwards: a process that has the number after the reading had it during it.
        if !self.matches()? {
            return Ok(None);
        }
        let pages = resident_pages(&text).ok_or_else(|| {
            Error::new(ErrorKind::Host, format!("odd /proc/{}/statm: {}", self.pid, text.trim()))
        })?;
        Ok(Some(pages.saturating_mul(rustix::param::page_size() as u64)))
    }

    /// How long ago it started, suspended times included; nothing if it is gone.
    pub fn age(&self) -> Result<Option<Duration>> {
        if !self.matches()? {
            return Ok(None);
        }
        let started = ticks(self.start_time, rustix::param::clock_ticks_per_second());
        let now = clock_gettime(ClockId::Boottime);
        let now = Duration::new(
            u64::try_from(now.tv_sec).unwrap_or_default(),
            u32::try_from(now.tv_nsec).unwrap_or_default(),
        );
        Ok(Some(now.saturating_sub(started)))
    }

    fn matches(&self) -> Result<bool> {
        if self.boot_id != boot_id()? {
            return Ok(false);
        }
        Ok(living_stat(self.pid)?.is_some_and(|stat| stat.start_time == self.start_time))
    }

    fn raw_pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.pid).ok()?)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// What we need of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    threads: u32,
    start_time: u64,
}

impl Stat {
    /// A process whose first thread has ended lives on in its others, which may still have its
    /// sockets; only with the last of them does its descriptor tell of its end.
    fn is_living(&self) -> bool {
        match self.state {
            'X' | 'x' => false,
            'Z' => self.threads > 1,
            _ => true,
        }
    }
}

/// The state of a process that runs; nothing if none has the number, or if what has it has ended.
fn living_stat(pid: u32) -> Result<Option<Stat>> {
    Ok(stat(pid)?.filter(Stat::is_living))
}

/// The state of whatever has the number, ended or not.
fn stat(pid: u32) -> Result<Option<Stat>> {
    let Some(text) = read_proc(pid, "stat")? else { return Ok(None) };
    let stat = parse_stat(&text).ok_or_else(|| {
        Error::new(ErrorKind::Host, format!("odd /proc/{pid}/stat: {}", text.trim().escape_debug()))
    })?;
    Ok(Some(stat))
}

/// A file of a process; nothing if there is no such process (any more). Its name may be no UTF-8.
fn read_proc(pid: u32, file: &str) -> Result<Option<String>> {
    let path = format!("/proc/{pid}/{file}");
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // It ended between the opening and the reading.
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error).context(format!("reading {path}")),
    }
}

/// The name, in parentheses, is the program's to choose: it may hold blanks and parentheses, so
/// the numbered fields are counted from the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state is field 3, the number of threads is field 20, the start time is field 22.
    let threads = fields.nth(20 - 3 - 1)?.parse().ok()?;
    let start_time = fields.nth(22 - 20 - 1)?.parse().ok()?;
    Some(Stat { state, threads, start_time })
}

fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn ticks(count: u64, per_second: u64) -> Duration {
    let per_second = per_second.max(1);
    Duration::from_secs(count / per_second)
        + Duration::from_millis(count % per_second * 1000 / per_second)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::deadline::Deadline;
    use crate::wait;

    fn stat_of(name: &str, state: char, start_time: &str) -> String {
        format!(
            "42 ({name}) {state} 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 {start_time} 9 9"
        )
    }

    #[test]
    fn a_name_cannot_disguise_the_start_time() {
        for name in ["sleep", "", "a b", ") Z 1 (", "x) R 0 0", "\u{fffd}", "((("] {
            assert_eq!(
                parse_stat(&stat_of(name, 'S', "7788")),
                Some(Stat { state: 'S', threads: 1, start_time: 7788 }),
                "{name}"
            );
        }
    }

    #[test]
    fn a_process_lives_as_long_as_one_of_its_threads() {
        for (state, threads, lives) in
            [('S', 1, true), ('Z', 1, false), ('Z', 2, true), ('X', 2, false), ('Z', 0, false)]
        {
            let stat = Stat { state, threads, start_time: 1 };
            assert_eq!(stat.is_living(), lives, "{stat:?}");
        }
    }

    #[test]
    fn odd_stat_files_are_no_processes() {
        for text in
            ["", "42", "42 (x", "42 (x)", "42 (x) S", "42 (x) S 1 2 3", &stat_of("x", 'S', "-1")]
        {
            assert_eq!(parse_stat(text), None, "{text}");
        }
    }

    #[test]
    fn the_kernel_says_what_we_parse() {
        let own = ProcessId::own().expect("we live");
        assert_eq!(own, ProcessId::own().expect("we live"));
        assert!(own.is_alive().expect("asked"));
        assert!(own.open().expect("asked").is_some());
        assert!(own.rss_bytes().expect("asked").expect("alive") > 100_000);
        let age = own.age().expect("asked").expect("alive");
        assert!(age < Duration::from_secs(24 * 3600), "{age:?}");
    }

    #[test]
    fn another_start_time_or_boot_is_another_process() {
        let own = ProcessId::own().expect("we live");
        let later = ProcessId { start_time: own.start_time + 1, ..own.clone() };
        let rebooted =
            ProcessId { boot_id: "00000000-0000-0000-0000-000000000000".to_owned(), ..own.clone() };
        let nobody = ProcessId { pid: u32::MAX, ..own.clone() };
        let zero = ProcessId { pid: 0, ..own };
        for other in [later, rebooted, nobody, zero] {
            assert!(!other.is_alive().expect("asked"), "{other:?}");
            assert!(other.open().expect("asked").is_none(), "{other:?}");
            assert_eq!(other.rss_bytes().expect("asked"), None, "{other:?}");
            assert_eq!(other.age().expect("asked"), None, "{other:?}");
        }
    }

    #[test]
    fn a_thread_is_no_process() {
        let own = ProcessId::own().expect("we live");
        let (id_sender, id) = std::sync::mpsc::channel();
        let (end, end_receiver) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let tid = rustix::thread::gettid().as_raw_nonzero().get();
            id_sender.send(tid.cast_unsigned()).expect("somebody listens");
            let _ = end_receiver.recv();
        });
        let tid = id.recv().expect("it started");
        let stat = living_stat(tid).expect("asked").expect("threads show under /proc");
        let posing = ProcessId { pid: tid, start_time: stat.start_time, ..own };
        assert!(posing.open().expect("asked").is_none());
        drop(end);
        thread.join().expect("it ends");
    }

    #[test]
    fn a_zombie_is_dead_and_a_pidfd_tells() {
        let mut child = sleeper();
        let id = ProcessId::of(child.id()).expect("it lives");
        let fd = id.open().expect("asked").expect("it lives");
        child.kill().expect("it can be killed");
        let deadline = Deadline::after(Duration::from_secs(30));
        assert_eq!(wait::readable([std::os::fd::AsFd::as_fd(&fd)], deadline).expect("ok"), [true]);
        // Nobody has waited for it: it is a zombie now, and its parent may still name it.
        assert_eq!(ProcessId::of_child(child.id()).expect("it is ours"), id);
        assert!(!id.is_alive().expect("asked"));
        assert!(id.open().expect("asked").is_none());
        assert_eq!(ProcessId::of(id.pid).expect_err("dead").kind(), ErrorKind::Host);
        child.wait().expect("it ended");
        assert!(!id.is_alive().expect("asked"));
    }

    #[test]
    fn an_identity_survives_a_file() {
        let own = ProcessId::own().expect("we live");
        let json = serde_json::to_string(&own).expect("serialises");
        let back: ProcessId = serde_json::from_str(&json).expect("reads back");
        assert_eq!(back, own);
        assert!(back.is_alive().expect("asked"));
    }

    #[test]
    fn ticks_are_hundredths_mostly() {
        assert_eq!(ticks(250, 100), Duration::from_millis(2500));
        assert_eq!(ticks(5, 0), Duration::from_secs(5));
    }

    fn sleeper() -> Child {
        Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("`sleep` is everywhere")
    }
}
