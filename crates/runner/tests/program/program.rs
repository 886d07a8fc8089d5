//! A small program with the command `run`: this very test program, called again.

use std::fs::File;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::prelude::*;
use kvmtest::{Subtest, directories};
use kvmtest_runner::child::{Program, serve};
use kvmtest_runner::dispatch::{Settings, Worker};
use kvmtest_runner::jobs::Jobs;
use kvmtest_runner::plan::{Choice, PlannedTest, Shipped, Wanted};
use kvmtest_runner::report::ConsoleOptions;
use kvmtest_runner::run::{House, Order};
use kvmtest_runner::stage::{Places, Stage};

const MODE: &str = "KVMTEST_TESTS_MODE";
const WHAT: &str = "KVMTEST_TESTS_WHAT";
const PLACE: &str = "KVMTEST_TESTS_PLACE";
const JOBS: &str = "KVMTEST_TESTS_JOBS";
const FULL: &str = "KVMTEST_TESTS_FULL";
const FILE_LIMIT: &str = "KVMTEST_TESTS_FILE_LIMIT";

/// A directory in which the program runs, with pipes by which its parts tell where they are.
pub(crate) struct Ground {
    _keep: tempfile::TempDir,
    pub(crate) path: Utf8PathBuf,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(keep.path().into()).expect("UTF-8");
        for pipe in ["subtest", "clean"] {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            let path = path.join(pipe);
            rustix::fs::mknodat(
                rustix::fs::CWD,
                path.as_std_path(),
                rustix::fs::FileType::Fifo,
                mode,
                0,
            )
            .expect("a pipe");
        }
        Self { _keep: keep, path }
    }

    pub(crate) fn command(&self, what: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("its path"));
        command
            .args(["--exact", "program::is_the_program_when_asked", "--nocapture"])
            .env(MODE, "run")
            .env(WHAT, what.join("\n"))
            .env(PLACE, &self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, what: &[&str]) -> Output {
        self.command(what).output().expect("it runs")
    }

    pub(crate) fn start(&self, what: &[&str]) -> Child {
        self.command(what).spawn().expect("it starts")
    }

    /// The same with so many workers.
    pub(crate) fn start_with_jobs(&self, jobs: usize, what: &[&str]) -> Child {
        self.command(what).env(JOBS, jobs.to_string()).spawn().expect("it starts")
    }

    /// The same with a standard output that takes nothing. What runs tests has to write to it first.
    pub(crate) fn run_with_full_output(&self, what: &[&str]) -> Output {
        self.command(what).env(FULL, "yes").output().expect("it runs")
    }

    /// The same with files limited to `bytes`: what a full disk looks like to who writes.
    pub(crate) fn run_with_file_limit(&self, bytes: u64, what: &[&str]) -> Output {
        self.command(what).env(FILE_LIMIT, bytes.to_string()).output().expect("it runs")
    }

    /// Waits until a part of the program has opened the pipe `name`; the end of the pipe is the
    /// end of that part.
    pub(crate) fn meet(&self, name: &str) -> File {
        File::open(self.path.join(name)).expect("a pipe")
    }

    /// Waits until so many subtests wait; the end of the pipe is the end of the last of them.
    pub(crate) fn meet_subtests(&self, count: usize) -> File {
        let mut pipe = self.meet("subtest");
        std::io::Read::read_exact(&mut pipe, &mut vec![0; count]).expect("a byte of each");
        pipe
    }

    pub(crate) fn latest(&self) -> Utf8PathBuf {
        self.path.join("results/latest")
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Not a test: what the tests start.
#[test]
fn is_the_program_when_asked() {
    let Ok(mode) = std::env::var(MODE) else { return };
    let place = Utf8PathBuf::from(std::env::var(PLACE).expect("a place"));
    if let Ok(limit) = std::env::var(FILE_LIMIT) {
        limit_files(limit.parse().expect("a number"));
    }
    if std::env::var_os(FULL).is_some() && mode == "run" {
        let full = File::options().write(true).open("/dev/full").expect("a device");
        rustix::stdio::dup2_stdout(full).expect("replaced");
    }
    let code = match mode.as_str() {
        "child" => {
            let code = format!("{:?}", serve::serve(TABLE));
            let digits: String = code.chars().filter(char::is_ascii_digit).collect();
            digits.parse().expect("a code")
        }
        _ => i32::from(run(&place)),
    };
    std::process::exit(code);
}

fn run(place: &Utf8Path) -> u8 {
    let exe = std::env::current_exe().expect("its path");
    let exe = exe.to_str().expect("UTF-8").to_owned();
    let mode = format!("{MODE}=child");
    let args = [&mode, &exe, "--exact", "program::is_the_program_when_asked", "--nocapture"];
    let house = House {
        program: "kvmtest-tests 0",
        table: TABLE,
        folder: "tree".into(),
        python: &[],
        python_folder: "tree".into(),
        child: Program::new("/usr/bin/env", args),
        shipped: &Matrix,
    };
    let what = std::env::var(WHAT).unwrap_or_default();
    let order = Order {
        choice: Choice {
            wanted: Wanted::parse(what.lines()).expect("understood"),
            ..Choice::default()
        },
        results: place.join("results"),
        console: ConsoleOptions::default(),
        argv: vec!["kvmtest-tests".into()],
        jobs: std::env::var(JOBS).map_or(Jobs::Count(1), |jobs| jobs.parse().expect("a number")),
        ..Order::default()
    };
    let scratch = directories::private(&place.join("scratch")).expect("made");
    house.run(order, Settings::new(scratch), |_, jobs| {
        std::fs::write(place.join("workers-were-made"), "").expect("written");
        let worker = |number| Worker {
            stage: Box::new(Tells { place: place.to_owned() }),
            env: place.join(format!("env-{number}")),
        };
        Ok((0..jobs).map(worker).collect())
    })
}

/// A write beyond the limit fails instead of ending the process, once its signal is handled.
fn limit_files(bytes: u64) {
    let ignored = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, ignored).expect("a handler");
    let limit = rustix::process::Rlimit { current: Some(bytes), maximum: Some(bytes) };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).expect("limited");
}

struct Matrix;

impl Shipped for Matrix {
    fn text(&self, path: &str) -> Option<&str> {
        const ALL: &str = "variants:\n    - @all:\n        include <subtests>\n";
        (path == "tests.cfg").then_some(ALL)
    }
}

/// A stage that waits while it cleans up after the test called `hangs_in_clean`.
struct Tells {
    place: Utf8PathBuf,
}

impl Stage for Tells {
    fn prepare(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        Ok(())
    }

    fn clean(&mut self, test: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        if test.subtest == "hangs_in_clean" {
            let _here = File::options().read(true).write(true).open(self.place.join("clean"))?;
            wait_long()?;
        }
        Ok(Vec::new())
    }
}

static TABLE: &[Subtest] = &[
    subtest("fails", |test, _, _| test.fail("it is broken")),
    subtest("counts", |test, _, _| {
        // What the runner has open, and how much memory, as its child sees it.
        let runner = std::os::unix::process::parent_id();
        let open = std::fs::read_dir(format!("/proc/{runner}/fd"))?.count();
        let status = std::fs::read_to_string(format!("/proc/{runner}/status"))?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:"));
        test.write_keyval("open", open.to_string());
        test.write_keyval("memory", memory.unwrap_or("0").trim().trim_end_matches(" kB"));
        test.write_keyval("threads", threads.unwrap_or("0").trim());
        Ok(())
    }),
    subtest("hangs_in_clean", |_, _, _| Ok(())),
    subtest("passes", |test, _, _| {
        test.write_keyval("speed", "9");
        Ok(())
    }),
    subtest("talks", |test, _, _| {
        for number in 0..2000 {
            test.log(format!("line {number}"));
        }
        Ok(())
    }),
    subtest("waits", |_, _, _| {
        let place = std::env::var(PLACE).map_err(std::io::Error::other)?;
        let mut here = File::options().read(true).write(true).open(format!("{place}/subtest"))?;
        std::io::Write::write_all(&mut here, b".")?;
        wait_long().context("waiting for the guest")
    }),
];

const fn subtest(
    name: &'static str,
    run: fn(&mut Test, &Params, &mut Env) -> Result<()>,
) -> Subtest {
    Subtest { name, file: "tests/program.rs", doc: "", run }
}

fn wait_long() -> Result<()> {
    let (silent, _other) = std::os::unix::net::UnixStream::pair()?;
    let deadline = Deadline::after(Duration::from_secs(600));
    kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&silent)], deadline).map(drop)
}
