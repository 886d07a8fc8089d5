//! A place of its own for a test.

use std::process::Command;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::Signal;
use serde_json::Value;

use crate::{Ended, Notes, Process, Running, fake_qemu, program};

/// How long what is on its way out has to be out.
const ENDING: Duration = Duration::from_secs(60);

/// Directories in which the program runs as if nobody else did: a home, a runtime directory, a
/// cache and a working directory.
///
/// When it is dropped, nothing may be left: no process, socket, lock or directory of a machine.
#[derive(Debug)]
pub struct Sandbox {
    /// The root of all of them.
    pub root: Utf8PathBuf,
    /// The working directory.
    pub work: Utf8PathBuf,
    _keep: tempfile::TempDir,
}

/// Why a test on a real guest cannot run here.
#[derive(Debug)]
pub struct GuestsMissing(String);

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// A sandbox without guests.
    pub fn new() -> Self {
        let keep = tempfile::Builder::new().prefix("kvmtest-").tempdir().expect("a directory");
        let root = keep.path().canonicalize().expect("it is there");
        let root = Utf8PathBuf::from_path_buf(root).expect("UTF-8");
        let work = root.join("work");
        for dir in ["work", "home", "run", "cache", "cache/kvmtest"] {
            std::fs::create_dir(root.join(dir)).expect("made");
        }
        Self { root, work, _keep: keep }
    }

    /// A sandbox with QEMU and with the guests that the user has built; or why there is none.
    pub fn with_guests() -> Result<Self, GuestsMissing> {
        let missing = |why: &str| {
            let way = "`make test` prepares what is needed";
            Err(GuestsMissing(format!("{why} ({way})")))
        };
        let cache = user_cache();
        if !cache.join("guests/small").is_dir() {
            return missing("the guest `small` is not built");
        }
        let path = std::env::var("PATH").unwrap_or_default();
        if !path.split(':').any(|dir| Utf8Path::new(dir).join("qemu-system-x86_64").is_file()) {
            return missing("QEMU is not installed");
        }
        let sandbox = Self::new();
        // What was learned of QEMU does no test any harm, and takes half a second to learn.
        std::fs::create_dir_all(cache.join("qemu")).expect("made");
        for shared in ["guests", "qemu"] {
            let link = sandbox.root.join("cache/kvmtest").join(shared);
            std::os::unix::fs::symlink(cache.join(shared), link).expect("linked");
        }
        Ok(sandbox)
    }

    /// The program, to be called with `args`.
    pub fn command<I: AsRef<str>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(program());
        command.args(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self.enclose(&mut command);
        command
    }

    /// Lets `command` run in the sandbox.
    pub fn enclose(&self, command: &mut Command) {
        command
            .current_dir(&self.work)
            .env("HOME", self.root.join("home"))
            .env("XDG_RUNTIME_DIR", self.root.join("run"))
            .env("XDG_CACHE_HOME", self.root.join("cache"))
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("VIRTUAL_ENV")
            .env_remove("PYTHONPATH")
            .env_remove("FAKE_QEMU")
            .env_remove("NO_COLOR");
    }

    /// Calls the program with `args` and waits for its end.
    pub fn kvmtest<I: AsRef<str>>(&self, args: impl IntoIterator<Item = I>) -> Ended {
        self.start(args).end()
    }

    /// Starts the program with `args`.
    pub fn start<I: AsRef<str>>(&self, args: impl IntoIterator<Item = I>) -> Running {
        Running::start(&mut self.command(args))
    }

    /// `kvmtest run WHAT…` on the fake QEMU, in the role `role`, with a pipe for its notes.
    pub fn fake_run(&self, role: &str, what: &[&str]) -> Command {
        let qemu = format!("qemu_binary = {}", fake_qemu());
        // Its guest is no file, and everything that the fake does takes no time.
        let kernel = format!("kernel = {}", self.work.join("kernel"));
        let own = [&*qemu, "accel = tcg", "guest =", "images =", &kernel, "login_timeout = 60"];
        // It cannot be saved.
        let own = own.into_iter().chain(["vm_lifetime = living"]);
        let args = ["run"].into_iter().chain(own).chain(what.iter().copied());
        let mut command = self.command(args);
        if role != "obeys" {
            command.env("FAKE_QEMU", role);
        }
        command
    }

    /// A pipe for what the fake QEMUs of `command` note.
    pub fn notes(&self, command: &mut Command) -> Notes {
        let mut paths = (1..100).map(|number| self.root.join(format!("notes-{number}")));
        let path = paths.find(|path| !path.exists()).expect("a hundred are enough");
        command.env("FAKE_QEMU_NOTES", &path);
        Notes::new(&path)
    }

    /// Runs `what` on the fake QEMU in the role `role`.
    pub fn fake(&self, role: &str, what: &[&str]) -> Ended {
        Running::start(&mut self.fake_run(role, what)).end()
    }

    /// The results of the last run.
    pub fn latest(&self) -> Utf8PathBuf {
        self.work.join("results/latest")
    }

    /// The `result.json` of the only test of the last run.
    #[track_caller]
    pub fn result(&self) -> Value {
        let latest = self.latest();
        let entries = latest.read_dir_utf8().unwrap_or_else(|error| panic!("{latest}: {error}"));
        let paths = entries.filter_map(|entry| Some(entry.ok()?.into_path().join("result.json")));
        let found: Vec<_> = paths.filter(|path| path.is_file()).collect();
        let [path] = &found[..] else { panic!("one test was run: {found:?}") };
        let text = std::fs::read_to_string(path).expect("readable");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The `result.json` of the test of the last run that has this short name.
    #[track_caller]
    pub fn result_of(&self, name: &str) -> Value {
        let entries = self.latest().read_dir_utf8().expect("results");
        let own = format!("-{name}");
        let dirs = entries.filter_map(|entry| Some(entry.ok()?.into_path()));
        let dir = dirs.filter(|dir| dir.as_str().ends_with(&own)).max().expect("it was run");
        let text = std::fs::read_to_string(dir.join("result.json")).expect("readable");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Where the machines' sockets, leases and env files are.
    pub fn runtime(&self) -> Utf8PathBuf {
        self.root.join("run/kvmtest")
    }

    /// What is left of machines and runs: processes and files, in words.
    pub fn leftovers(&self) -> Vec<String> {
        let processes = Process::all_in(&self.root);
        let mut left: Vec<String> = processes
            .iter()
            .filter(|process| !process.ends_within(ENDING))
            .map(|process| format!("process {}: {}", process.pid, process.command_line()))
            .collect();
        let runtime = files_below(&self.runtime());
        left.extend(
            runtime
                .into_iter()
                .filter(|file| file.file_name() != Some("kvm.json"))
                .map(|file| format!("in the runtime directory: {file}")),
        );
        for dir in ["scratch", "tests"] {
            let files = files_below(&self.root.join("cache/kvmtest").join(dir));
            left.extend(files.into_iter().map(|file| format!("in the cache: {file}")));
        }
        left
    }

    /// Nothing is left.
    #[track_caller]
    pub fn is_empty(&self) {
        let left = self.leftovers();
        assert!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let left = if std::thread::panicking() { Vec::new() } else { self.leftovers() };
        for process in Process::all_in(&self.root) {
            process.signal(Signal::KILL);
        }
        assert!(left.is_empty(), "left behind:\n{}", left.join("\n"));
    }
}

impl std::fmt::Display for GuestsMissing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn user_cache() -> Utf8PathBuf {
    let variable = |name: &str| std::env::var(name).ok().map(Utf8PathBuf::from);
    let base = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let home = || variable("HOME").expect("a home").join(".cache");
    base.unwrap_or_else(home).join("kvmtest")
}

/// All files and sockets below `dir`, and the directories that are empty but for `dir` itself.
fn files_below(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.into_path())) {
        let below = files_below(&path);
        if below.is_empty() {
            files.push(path);
        }
        files.extend(below);
    }
    files
}
