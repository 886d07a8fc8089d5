//! Programs that fail, hang, flood and leave things behind.

use super::*;
use crate::deadline::Deadline;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);

fn sh(line: &str) -> HostCommand {
    HostCommand::shell(line)
}

fn place() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(dir.path().join("out.log")).expect("UTF-8");
    (dir, path)
}

#[test]
fn what_it_says_and_how_it_ends_is_told() {
    let check = |line: &str, code, output: &str, words: &str| {
        let ended = sh(line).run(LONG).expect("it ends");
        assert_eq!(ended.status.code(), code, "{line}");
        assert_eq!(String::from_utf8_lossy(&ended.output), output, "{line}");
        assert!(ended.words().ends_with(words), "{}", ended.words());
    };
    check("echo a; echo b >&2", Some(0), "a\n", "b");
    check("exit 3", Some(3), "", "exit status: 3");
    check("kill -9 $$", None, "", "signal: 9 (SIGKILL)");
    check("printf 'x\\n\\033[2J\\n\\n' >&2; false", Some(1), "", "\\u{1b}[2J");
    check("cat", Some(0), "", "exit status: 0");
}

#[test]
fn values_reach_it_by_its_environment_only() {
    let hostile = "$(touch /nowhere); `x` '\" \n";
    let command = sh("printf %s \"$VALUE\"").env("VALUE", hostile).env("A=B", "x").env("C", "\0");
    assert_eq!(command.run(LONG).expect("it ends").output, hostile.as_bytes());
}

#[test]
fn what_is_not_there_is_named_with_what_installs_it() {
    let error = HostCommand::new("no-such-program").run(LONG).expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::Host);
    assert_eq!(error.to_string(), "`no-such-program` is not installed");
    let error = HostCommand::new("/nowhere/qemu-img").run(LONG).expect_err("missing").to_string();
    assert!(error.contains("qemu-") && error.contains("installs it"), "{error}");
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let (_keep, path) = place();
    let line = format!("echo begun; sleep 1000 & echo $! > {path}; wait");
    let error = sh(&line).run(Duration::from_secs(2)).expect_err("it hangs");
    let text = error.to_string();
    assert!(text.contains("did not end within 2 s"), "{text}");
    let child: i32 =
        std::fs::read_to_string(&path).expect("noted").trim().parse().expect("a number");
    let child = Pid::from_raw(child).expect("positive");
    if let Ok(fd) = rustix::process::pidfd_open(child, rustix::process::PidfdFlags::empty()) {
        let ended = crate::wait::readable([std::os::fd::AsFd::as_fd(&fd)], Deadline::after(LONG));
        assert_eq!(ended.expect("asked"), [true], "the child of what was killed lives");
    }
}

use rustix::process::Pid;

#[test]
fn a_flood_is_cut_in_memory_and_in_its_log() {
    let flood = "head -c 20000000 /dev/zero";
    let ended = sh(flood).run(LONG).expect("it ends");
    assert_eq!(ended.output.len(), 4 << 20);
    let (_keep, path) = place();
    let ended = sh(flood).log(&path).log_limit(1000).run(LONG).expect("it ends");
    assert!(ended.status.success() && ended.output.is_empty());
    assert!(ended.errors.len() <= 8 << 10);
    let log = std::fs::read_to_string(&path).expect("kept");
    assert!(log.ends_with("[19999000 more bytes were dropped here]\n"), "{}", log.len());
}

#[test]
fn a_log_has_both_streams_in_their_order() {
    let (_keep, path) = place();
    let ended = sh("echo 1; echo 2 >&2; echo 3").log(&path).run(LONG).expect("it ends");
    assert_eq!(std::fs::read(&path).expect("kept"), b"1\n2\n3\n");
    assert_eq!(ended.errors, b"1\n2\n3\n");
    std::fs::remove_file(&path).expect("there");
    sh("true").log(&path).run(LONG).expect("it ends");
    assert!(!path.exists(), "silence makes no file");
}

#[test]
fn a_log_that_cannot_be_written_loses_the_log_only() {
    let ended = sh("echo a; exit 4").log("/dev/full").run(LONG).expect("it ends");
    assert_eq!((ended.status.code(), &*ended.errors), (Some(4), &b"a\n"[..]));
}

#[test]
fn what_it_leaves_running_is_told_of() {
    // It holds the pipes open, and must not keep anybody waiting.
    let script = "sleep 1000 & until grep -qzx sleep /proc/$!/cmdline; do :; done; echo gone";
    let ended = sh(script).run(LONG).expect("it ends");
    assert_eq!(ended.output, b"gone\n");
    let [left] = &ended.left[..] else { panic!("{:?}", ended.left) };
    assert_eq!(left.command, "sleep 1000");
    assert!(!left.ends_by(Deadline::after(SHORT)));
    left.kill();
    assert!(left.ends_by(Deadline::after(LONG)));
}

#[test]
fn a_running_one_is_asked_and_then_killed() {
    let place = tempfile::tempdir().expect("a directory");
    let up = place.path().join("up");
    let polite = format!(
        "trap 'echo bye; exit 7' INT; echo up; : >{}; while :; do sleep 0.01; done",
        up.display()
    );
    let mut running = sh(&polite).start().expect("started");
    while !up.exists() {
        assert!(!running.wait(Deadline::after(SHORT)).expect("no error"));
    }
    let ended = running.end(Signal::INT, LONG);
    assert_eq!((ended.status.code(), &*ended.output), (Some(7), &b"up\nbye\n"[..]));
    let deaf = sh("trap '' INT; echo up; while :; do sleep 0.01; done");
    let mut running = deaf.start().expect("started");
    assert!(!running.wait(Deadline::after(SHORT)).expect("no error"));
    let ended = running.end(Signal::INT, SHORT);
    assert_eq!(ended.status.code(), None);
}
