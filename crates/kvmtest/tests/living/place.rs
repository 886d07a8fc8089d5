//! A place in which nothing of the user's other machines is, and what is left there.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitCode};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Deadline;
use kvmtest::guest::GuestStore;
use kvmtest::host::ProcessId;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Says where it is, to the processes in it.
const ROOT: &str = "KVMTEST_LIVING";
/// How long what is on its way out may take.
const ENDING: Duration = Duration::from_secs(20);

/// Directories for one run of the tests: a runtime directory, a cache with the user's guests, and
/// a directory for whatever else.
pub(crate) struct Place {
    pub(crate) root: Utf8PathBuf,
    /// Files of tests, which they need not remove.
    pub(crate) work: Utf8PathBuf,
}

impl Place {
    /// The place in which this process is.
    pub(crate) fn here() -> Option<Self> {
        let root: Utf8PathBuf = std::env::var(ROOT).ok()?.into();
        Some(Self { work: root.join("work"), root })
    }

    /// Makes one, and has the tests run in it by this program once more.
    pub(crate) fn make_and_run() -> ExitCode {
        let store = GuestStore::open().expect("a cache directory");
        if let Err(error) = store.find("small") {
            println!("skipped: {error}");
            return ExitCode::SUCCESS;
        }
        if Command::new("qemu-system-x86_64").arg("-version").output().is_err() {
            println!("skipped: QEMU is not installed");
            return ExitCode::SUCCESS;
        }
        let keep = tempfile::Builder::new().prefix("kvmtest-").tempdir().expect("a directory");
        let root =
            Utf8PathBuf::from_path_buf(keep.path().canonicalize().expect("there")).expect("UTF-8");
        for dir in ["work", "run", "cache", "cache/kvmtest"] {
            std::fs::create_dir(root.join(dir)).expect("made");
        }
        let cache = store.directory().parent().expect("in the cache").to_owned();
        // What was learned of QEMU does no test any harm, and takes half a second to learn.
        std::fs::create_dir_all(cache.join("qemu")).expect("made");
        for shared in ["guests", "qemu"] {
            std::os::unix::fs::symlink(cache.join(shared), root.join("cache/kvmtest").join(shared))
                .expect("linked");
        }
        let this = std::env::current_exe().expect("a path");
        let mut command = Command::new(this);
        command
            .args(std::env::args().skip(1))
            .env(ROOT, &root)
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("HOME", &root);
        let status = command.status().expect("it starts");
        Self { work: root.join("work"), root }.clear();
        if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// What is left of machines, in words: processes, sockets, locks, directories, files.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = Process::all_in(&self.root)
            .iter()
            .filter(|process| !process.ends_within(ENDING))
            .map(|process| format!("process {}: {}", process.pid, process.command_line()))
            .collect();
        let runtime = files_below(&self.root.join("run/kvmtest"));
        left.extend(
            runtime
                .iter()
                .filter(|path| path.file_name() != Some("kvm.json"))
                .map(ToString::to_string),
        );
        left.extend(
            files_below(&self.root.join("cache/kvmtest/scratch")).iter().map(ToString::to_string),
        );
        // Of the states themselves nothing but whole ones.
        let states = self.states();
        let is_part = |name: &&Utf8PathBuf| name.file_name().is_none_or(|name| name.contains('.'));
        left.extend(states.iter().filter(is_part).map(ToString::to_string));
        left
    }

    /// What lies in the store of states.
    pub(crate) fn states(&self) -> Vec<Utf8PathBuf> {
        entries(&self.root.join("cache/kvmtest/states"))
    }

    /// Ends and removes what a test that failed has left.
    pub(crate) fn clear(&self) {
        for process in Process::all_in(&self.root) {
            process.kill();
        }
        for dir in ["run/kvmtest", "cache/kvmtest/scratch"] {
            let _ = std::fs::remove_dir_all(self.root.join(dir));
        }
        for path in entries(&self.work) {
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
    }
}

/// A process in a place.
pub(crate) struct Process {
    pub(crate) pid: u32,
    fd: OwnedFd,
}

impl Process {
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let number = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let fd = pidfd_open(number, PidfdFlags::empty()).ok()?;
        Some(Self { pid, fd })
    }

    /// All processes whose command line, environment or working directory names `place`, but for
    /// this one and the one that started it.
    pub(crate) fn all_in(place: &Utf8Path) -> Vec<Self> {
        let own = [std::process::id(), std::os::unix::process::parent_id()];
        let entries = std::fs::read_dir("/proc").expect("there is /proc");
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| !own.contains(pid) && names(*pid, place)).filter_map(Self::of).collect()
    }

    /// The QEMUs in `place` that wait for a machine to arrive, or have.
    pub(crate) fn destinations(place: &Place) -> Vec<Self> {
        let all = Self::all_in(&place.root).into_iter();
        all.filter(|process| process.command_line().contains(" -incoming ") && !process.is_guard())
            .collect()
    }

    /// The guards of the machines in `place`.
    pub(crate) fn guards(place: &Place) -> Vec<Self> {
        Self::all_in(&place.root).into_iter().filter(Self::is_guard).collect()
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(&self.fd, signal);
    }

    pub(crate) fn ends_within(&self, patience: Duration) -> bool {
        let ended = kvmtest::wait::readable([self.fd.as_fd()], Deadline::after(patience));
        ended.expect("nobody interrupts") == [true]
    }

    pub(crate) fn command_line(&self) -> String {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// Whether it has a file open that is, or was, in `directory`.
    pub(crate) fn writes_in(&self, directory: &Utf8Path) -> bool {
        let Ok(open) = std::fs::read_dir(format!("/proc/{}/fd", self.pid)) else { return false };
        let mut targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets.any(|target| target.starts_with(directory))
    }

    fn is_guard(&self) -> bool {
        self.command_line().trim_end().ends_with(" guard")
    }
}

/// This process, as holders of leases are named.
pub(crate) fn this() -> ProcessId {
    ProcessId::own().expect("it lives")
}

fn names(pid: u32, place: &Utf8Path) -> bool {
    let file = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let holds = |bytes: &[u8]| {
        let place = place.as_str().as_bytes();
        bytes.windows(place.len()).any(|window| window == place)
    };
    let directory = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    directory.starts_with(place) || holds(&file("cmdline")) || holds(&file("environ"))
}

/// All files and sockets below `dir`, and the directories that are empty but for `dir` itself.
fn files_below(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for path in entries(dir) {
        let below = files_below(&path);
        if below.is_empty() {
            files.push(path);
        }
        files.extend(below);
    }
    files
}

pub(crate) fn entries(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.into_path())).collect()
}

/// Turns over one bit in the middle of the file `path`.
pub(crate) fn flip(path: &Utf8Path) {
    use std::os::unix::fs::FileExt;
    let file = File::options().read(true).write(true).open(path).expect("opened");
    let at = file.metadata().expect("there").len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("read");
    file.write_all_at(&[byte[0] ^ 0x10], at).expect("written");
}
