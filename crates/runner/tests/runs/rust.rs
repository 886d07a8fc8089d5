//! Children in Rust: this very test program, called again.

use kvmtest::Subtest;
use kvmtest::prelude::*;
use kvmtest_runner::Outcome;
use kvmtest_runner::child::{Program, serve};
use kvmtest_runner::event::{Phase, What};

use crate::bench::Bench;

const ASKED: &str = "KVMTEST_TESTS_SERVE";

static SUBTESTS: &[Subtest] = &[
    subtest("passes", |test, params, _| {
        assert_eq!(params.get("mem")?, "256");
        test.write_keyval("speed", "9");
        Ok(())
    }),
    subtest("warns", |test, _, _| {
        test.warn("rather slow");
        Ok(())
    }),
    subtest("fails", |test, _, _| {
        test.fail("the disk is gone").context("looking at it").context("after a reboot")
    }),
    subtest("skips", |test, _, _| test.skip("needs two NICs")),
    subtest("cannot", |_, params, _| params.get("no_such_key").map(drop)),
    subtest("times_out", |_, _, _| {
        Err(Error::new(ErrorKind::LoginTimeout, "no login").with_output(b"login: \xff".to_vec()))
    }),
    // Called like this file, in which its line is then found.
    subtest("rust", |_, params, _| {
        params.get_u64("no_such_key").context("looking for it")?;
        Ok(())
    }),
    subtest("panics", |_, _, _| panic!("a slip at {}", 7)),
    subtest("aborts", |_, _, _| std::process::abort()),
    subtest("exits", |_, _, _| std::process::exit(0)),
    subtest("waits", |_, _, _| {
        let (silent, _other) = std::os::unix::net::UnixStream::pair()?;
        let deadline = Deadline::after(Duration::from_secs(600));
        kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&silent)], deadline)
            .context("waiting for the guest")
            .map(drop)
    }),
    subtest("says_what_it_does", |_, _, _| {
        let _outer = kvmtest::doing::begin("rebooting vm1");
        let _inner = kvmtest::doing::begin("waiting for a prompt");
        let (silent, _other) = std::os::unix::net::UnixStream::pair()?;
        let deadline = Deadline::after(Duration::from_secs(3));
        kvmtest::wait::readable([std::os::fd::AsFd::as_fd(&silent)], deadline).map(drop)
    }),
    subtest("takes_all_memory", |_, _, _| take_memory()),
    subtest("takes_all_memory_in_small_pieces", |_, _, _| {
        let mut all = std::collections::BTreeMap::new();
        for number in 0_u64.. {
            all.insert(number, number.to_string());
        }
        Ok(())
    }),
    subtest("takes_all_memory_in_a_thread", |_, _, _| {
        std::thread::spawn(take_memory).join().expect("it does not come back")
    }),
    subtest("wants_too_much_at_once", |_, _, _| {
        let mut vec: Vec<u8> = Vec::new();
        assert!(vec.try_reserve(1 << 40).is_err());
        Ok(())
    }),
    subtest("fails_with_little_memory_left", |test, _, _| {
        let _held = leave_little();
        test.fail("the disk is gone")
    }),
    subtest("panics_with_little_memory_left", |_, _, _| {
        let _held = leave_little();
        panic!("a slip")
    }),
    subtest("takes_all_memory_after_a_panic", |_, _, _| {
        let _ = std::panic::catch_unwind(|| panic!("a slip"));
        take_memory()
    }),
    subtest("starts_threads", |_, _, _| {
        // One stack is more than all the memory, so that it is refused: of many small ones the last
        // may be granted and what its thread needs besides be refused, which aborts.
        let thread = std::thread::Builder::new().stack_size(1 << 30);
        thread.spawn(|| ()).expect("failed to spawn thread");
        Ok(())
    }),
    subtest("starts_others", |_, _, _| {
        // What a subtest starts must not get hold of the descriptor for events.
        let status = std::process::Command::new("/bin/sh")
            .args(["-c", "echo nonsense >&3"])
            .stderr(std::process::Stdio::null())
            .status()?;
        assert!(!status.success());
        Ok(())
    }),
];

const fn subtest(
    name: &'static str,
    run: fn(&mut Test, &Params, &mut Env) -> Result<()>,
) -> Subtest {
    Subtest { name, file: "tests/runs/rust.rs", doc: "", run }
}

fn take_memory() -> Result<()> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        all.push(vec![1; 1 << 20]);
    }
}

/// Memory that was taken without the allocator, which would end the process.
struct Page(*mut std::ffi::c_void);

impl Page {
    const SIZE: usize = 64 << 10;

    fn take() -> Option<Self> {
        use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: new memory at a place that the kernel chooses.
        let page =
            unsafe { mmap_anonymous(std::ptr::null_mut(), Self::SIZE, access, MapFlags::PRIVATE) };
        page.ok().map(Self)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this size, and nobody else knows of it.
        let _ = unsafe { rustix::mm::munmap(self.0, Self::SIZE) };
    }
}

/// Takes memory until there is none, and gives back a little.
fn leave_little() -> Vec<Page> {
    let mut all: Vec<Page> = Vec::with_capacity(1 << 16);
    while let Some(page) = Page::take() {
        all.push(page);
    }
    all.truncate(all.len() - 4);
    all
}

/// Not a test: what the tests below start as their child.
#[test]
fn serves_when_asked() {
    if std::env::var_os(ASKED).is_some() {
        let code = serve::serve(SUBTESTS);
        // `ExitCode` cannot be looked into, and a test's function has nowhere to return it.
        let code = format!("{code:?}").chars().filter(char::is_ascii_digit).collect::<String>();
        std::process::exit(code.parse().expect("a code"));
    }
}

fn bench(name: &str) -> Bench {
    let exe = std::env::current_exe().expect("its path");
    let exe = exe.to_str().expect("UTF-8").to_owned();
    let asked = format!("{ASKED}=1");
    let args = [&asked, &exe, "--exact", "rust::serves_when_asked", "--nocapture"];
    Bench::new().program(Program::new("/usr/bin/env", args), name).param("mem", "256")
}

#[test]
fn a_subtest_ends_as_it_says() {
    let check = |name, outcome, part| bench(name).run().check(outcome, part);
    check("passes", Outcome::Pass, "");
    check("warns", Outcome::Warn, "");
    check("skips", Outcome::Skip, "needs two NICs");
    check("cannot", Outcome::Error, "`no_such_key` is not set");
    check("no_such", Outcome::Error, "no subtest `no_such`");
    check("starts_others", Outcome::Pass, "");
}

#[test]
fn a_failure_keeps_its_contexts_and_the_last_output() {
    let run = bench("fails").run();
    run.check(Outcome::Fail, "the disk is gone");
    assert_eq!(run.only().contexts, ["after a reboot", "looking at it"]);
    assert_eq!(run.only().kind.as_deref(), Some("test-fail"));
    let run = bench("times_out").run();
    run.check(Outcome::Fail, "no login");
    assert_eq!(run.only().output.as_deref(), Some("login: \u{fffd}"));
    assert_eq!(run.only().kind.as_deref(), Some("login-timeout"));
}

#[test]
fn an_error_of_the_library_tells_the_line_of_the_subtest() {
    let run = bench("rust").run();
    run.check(Outcome::Error, "no_such_key");
    let line = 1 + include_str!("rust.rs")
        .lines()
        .position(|line| line.contains("get_u64(\"no_such_key\")"))
        .expect("it is in this file");
    let expect = format!("runs/rust.rs:{line}:");
    let location = run.only().location.as_deref();
    assert!(location.is_some_and(|place| place.contains(&expect)), "{location:?}");
}

#[test]
fn a_panic_is_a_fail_with_its_place_and_stack() {
    let run = bench("panics").run();
    run.check(Outcome::Fail, "panicked: a slip at 7");
    let only = run.only();
    assert!(only.location.as_deref().is_some_and(|place| place.contains("runs/rust.rs:")));
    assert!(only.backtrace.as_deref().is_some_and(|stack| stack.contains("serve")), "{only:?}");
    assert!(only.evidence.contains(&"debug.log".to_owned()), "{only:?}");
}

#[test]
fn a_child_that_dies_is_an_error() {
    bench("aborts").run().check(Outcome::Error, "SIGABRT");
    bench("exits").run().check(Outcome::Error, "exit code 0 without saying");
}

#[test]
fn a_wait_past_the_deadline_tells_what_it_waited_for() {
    let mut bench = bench("waits").param("test_timeout", "2");
    bench.settings.grace = Duration::from_secs(60);
    let run = bench.run();
    run.check(Outcome::Fail, "did not end within 2s");
    assert_eq!(run.only().contexts, ["waiting for the guest"]);
}

#[test]
fn a_slow_phase_is_told_with_what_it_waits_for() {
    let run = bench("says_what_it_does").param("slow_after", "2").run();
    run.check(Outcome::Pass, "");
    let slow: Vec<_> = run.events.iter().filter(|what| matches!(what, What::Slow { .. })).collect();
    // On a host that has too much to do it may not have begun to wait when the first is told.
    let is_it = |what: &&What| {
        let What::Slow { test: 1, phase: Phase::Run, after_ms, waiting_for } = what else {
            return false;
        };
        *after_ms >= 2000 && waiting_for == "rebooting vm1: waiting for a prompt"
    };
    assert!(slow.iter().copied().any(|what| is_it(&what)), "{slow:?}");
}

#[test]
fn a_child_without_memory_ends_at_once_and_says_so() {
    let check = |name: &str, memory: &str| {
        let run = bench(name).param("test_memory", memory).run();
        let limit = format!("each of its processes may have {memory} MiB (`test_memory`)");
        run.check(Outcome::Error, &format!("wanted more memory than it may have; {limit}"));
        assert_eq!(run.only().kind.as_deref(), Some("child-without-memory"));
        let said = run.only().output.as_deref();
        assert!(said.is_some_and(|output| output.contains("more bytes are more")), "{said:?}");
    };
    for memory in ["8", "9", "16", "200"] {
        check("takes_all_memory", memory);
    }
    check("takes_all_memory_in_small_pieces", "32");
    check("takes_all_memory_in_a_thread", "32");
    check("takes_all_memory_after_a_panic", "32");
    check("wants_too_much_at_once", "32");
}

#[test]
fn a_child_without_memory_for_threads_names_the_limit() {
    let run = bench("starts_threads").param("test_memory", "32").run();
    run.check(Outcome::Fail, "failed to spawn thread");
    run.check(Outcome::Fail, "may have 32 MiB (`test_memory`)");
}

#[test]
fn a_failure_with_little_memory_left_is_told_as_any_other() {
    for memory in ["8", "64"] {
        let run = bench("fails_with_little_memory_left").param("test_memory", memory).run();
        run.check(Outcome::Fail, "the disk is gone");
        let run = bench("panics_with_little_memory_left").param("test_memory", memory).run();
        run.check(Outcome::Fail, "panicked: a slip");
        assert!(run.only().location.is_some(), "{:?}", run.only());
    }
}

#[test]
fn without_a_limit_memory_that_is_not_there_is_the_subtests_affair() {
    bench("wants_too_much_at_once").run().check(Outcome::Pass, "");
}

#[test]
fn memory_too_small_for_any_subtest_is_refused_before_anything_runs() {
    for memory in ["0", "1", "2", "3", "7", "1M", "8191K", "1K"] {
        let run = bench("passes").param("test_memory", memory).run();
        run.check(Outcome::Error, "`test_memory` must be at least 8 MiB");
        assert!(run.phases().is_empty(), "{memory}");
    }
    for memory in ["8", "8M", "8192K", "1G"] {
        bench("passes").param("test_memory", memory).run().check(Outcome::Pass, "");
    }
}

#[test]
fn a_child_that_is_called_by_hand_says_so() {
    let exe = std::env::current_exe().expect("its path");
    let output = std::process::Command::new(exe)
        .args(["--exact", "rust::serves_when_asked", "--nocapture"])
        .env(ASKED, "1")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot serve as a child"), "{text}");
    assert_eq!(output.status.code(), Some(20));
}
