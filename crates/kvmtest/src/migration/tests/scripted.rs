//! What a QEMU may do that is not like others.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use super::*;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::QmpMonitor;
use crate::monitor::tests::scripted::{fake, say};

/// A QEMU that goes through `states` (answers to `query-migrate`; the last one stays), and tells
/// what else it is asked.
fn qemu(states: Vec<Value>) -> (QmpMonitor, std::sync::mpsc::Receiver<Value>) {
    let (tell, told) = std::sync::mpsc::channel();
    let mut states = states.into_iter().peekable();
    let mut last = json!({});
    let monitor = fake(move |command, stream| {
        let answer = match command["execute"].as_str().unwrap_or_default() {
            "query-migrate" => {
                last = states.next().unwrap_or_else(|| last.clone());
                last.clone()
            }
            "query-migrate-capabilities" => json!([{"capability": "events", "state": false}]),
            name => {
                if name == "migrate" {
                    let data = json!({"status": "setup"});
                    say(stream, &json!({"event": "MIGRATION", "data": data}));
                }
                let _ = tell.send(json!([command["execute"], command["arguments"]]));
                json!({})
            }
        };
        say(stream, &json!({"return": answer, "id": command["id"]}));
    });
    (monitor.expect("connects"), told)
}

fn active(remaining: u64) -> Value {
    json!({"status": "active", "ram": {"total": 100, "remaining": remaining}})
}

fn migrate(monitor: &QmpMonitor, on_progress: impl FnMut(&Figures) -> Choice) -> Result<Figures> {
    let target = Target::Uri("tcp:127.0.0.1:1".to_owned());
    start(monitor, target, &Settings::default())?.wait(soon(), on_progress)
}

/// The commands that were given, without their arguments.
fn names(told: &std::sync::mpsc::Receiver<Value>) -> Vec<String> {
    told.try_iter().map(|told| told[0].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn progress_is_told_step_by_step_and_events_stay() {
    let completed = json!({"status": "completed", "downtime": 3});
    let (monitor, told) = qemu(vec![json!({}), active(90), active(20), completed]);
    // What was there before it began is no news.
    monitor.cmd("query-migrate", Value::Null).expect("answered");
    let mut seen = Vec::new();
    let figures = migrate(&monitor, |figures| {
        seen.push(figures.remaining);
        Choice::GoOn
    });
    assert_eq!(figures.expect("completed").downtime, Some(Duration::from_millis(3)));
    assert_eq!(seen, [90, 20]);
    assert_eq!(monitor.event("MIGRATION").expect("nobody took it").data["status"], "setup");
    let set = "migrate-set-capabilities";
    assert_eq!(names(&told), [set, "migrate", set], "the settings are as they were");
}

#[test]
fn times_that_are_not_counted_yet_are_waited_for() {
    let completed = |took: u64| json!({"status": "completed", "total-time": took, "downtime": 3});
    let took = |states: Vec<Value>, choice: Choice| {
        let (monitor, _told) = qemu(states);
        migrate(&monitor, |_| choice).expect("completed").total_time
    };
    let counted = Some(Duration::from_millis(40));
    assert_eq!(took(vec![completed(0), completed(0), completed(40)], Choice::GoOn), counted);
    assert_eq!(took(vec![active(9), completed(0), completed(40)], Choice::Cancel), counted);
    assert_eq!(took(vec![completed(0)], Choice::GoOn), Some(Duration::ZERO), "it never counts");
}

#[test]
fn a_failure_has_the_words_of_qemu() {
    let check = |end: Value, kind: ErrorKind, words: &str| {
        let (monitor, _told) = qemu(vec![active(50), end]);
        let error = migrate(&monitor, go_on).expect_err(words);
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(words), "{error}");
    };
    let failed = |words: &str| json!({"status": "failed", "error-desc": words});
    check(failed("no route"), ErrorKind::MigrateFailed, "failed: no route");
    check(failed(""), ErrorKind::MigrateFailed, "QEMU does not say why");
    check(json!({"status": "cancelled"}), ErrorKind::MigrateCancelled, "cancelled");
    check(json!({}), ErrorKind::MigrateFailed, "knows of no migration");
    check(json!({"status": "postcopy-paused"}), ErrorKind::MigrateFailed, "connection broke");
}

#[test]
fn nothing_is_written_for_a_reader_that_has_ended() {
    let states = vec![active(90), active(80), active(80), json!({"status": "cancelled"})];
    let (monitor, told) = qemu(states);
    let mut outgoing =
        start(&monitor, Target::Uri("file:/x".to_owned()), &Settings::default()).expect("begun");
    let (process, lives) = UnixStream::pair().expect("a pair");
    // As a pidfd is: it can be read from when it is over.
    let mut lives = Some(lives);
    let before = std::cell::RefCell::new(Vec::new());
    let let_go = || *before.borrow_mut() = names(&told);
    let reader = Reader { process: process.as_fd(), let_go: &let_go };
    let error = outgoing
        .wait_beside(Some(&reader), Deadline::after(PATIENCE), |_| {
            lives.take();
            Choice::GoOn
        })
        .expect_err("nobody reads it");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.message().contains("has ended before all of it was written"), "{error}");
    let cancel = "migrate_cancel".to_owned();
    assert!(!before.borrow().is_empty() && !before.borrow().contains(&cancel), "{before:?}");
    assert!(names(&told).contains(&cancel));
}

#[test]
fn a_migration_can_be_cancelled_and_may_be_completed_all_the_same() {
    let check = |states: Vec<Value>, completed: bool| {
        let (monitor, told) = qemu(states);
        let ended = migrate(&monitor, |_| Choice::Cancel);
        assert_eq!(ended.is_ok(), completed, "{ended:?}");
        if let Err(error) = ended {
            assert_eq!(error.kind(), ErrorKind::MigrateCancelled);
        }
        let given = names(&told);
        assert!(given.ends_with(&["migrate-set-capabilities".to_owned()]), "{given:?}");
        given.contains(&"migrate_cancel".to_owned())
    };
    let status = |status: &str| json!({ "status": status });
    let cancelling = status("cancelling");
    assert!(check(vec![active(9), active(9), cancelling, status("cancelled")], false));
    assert!(check(vec![active(9), active(9), status("failed")], false));
    assert!(check(vec![active(9), active(9), status("device"), status("completed")], true));
    assert!(!check(vec![active(9), status("completed")], true), "there is nothing to cancel");
}

#[test]
fn there_is_no_way_back_from_postcopy() {
    let (monitor, told) = qemu(vec![active(9), json!({"status": "postcopy-active"})]);
    let error = migrate(&monitor, |_| Choice::Cancel).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.to_string().contains("no way back"), "{error}");
    assert!(!names(&told).contains(&"migrate_cancel".to_owned()));
    let states = vec![
        json!({"status": "setup"}),
        active(9),
        json!({"status": "postcopy-active"}),
        json!({"status": "completed"}),
    ];
    let (monitor, told) = qemu(states);
    migrate(&monitor, |_| Choice::Postcopy).expect("completed");
    let begun = names(&told).iter().filter(|name| *name == "migrate-start-postcopy").count();
    assert_eq!(begun, 1, "once, and not before it is active");
}

#[test]
fn what_takes_too_long_is_cancelled() {
    let states = vec![active(70), active(70), json!({"status": "cancelled"})];
    let (monitor, told) = qemu(states);
    let target = Target::Uri("unix:x".to_owned());
    let mut outgoing = start(&monitor, target, &Settings::default()).expect("started");
    let error = outgoing.wait(Deadline::after(Duration::ZERO), go_on).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::MigrateTimeout);
    assert!(error.to_string().contains("passes"), "{error}");
    assert!(names(&told).contains(&"migrate_cancel".to_owned()));
    // In postcopy there is nothing to cancel.
    let (monitor, told) = qemu(vec![json!({"status": "postcopy-active"})]);
    let target = Target::Uri("unix:x".to_owned());
    let mut outgoing = start(&monitor, target, &Settings::default()).expect("started");
    let error = outgoing.wait(Deadline::after(Duration::ZERO), go_on).expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::MigrateTimeout);
    assert!(!names(&told).contains(&"migrate_cancel".to_owned()));
}

#[test]
fn a_monitor_that_goes_mad_or_away_ends_the_wait() {
    let check = |fault: fn(&mut UnixStream), words: &str| {
        let mut asked = 0;
        let monitor = fake(move |command, stream| {
            asked += u32::from(command["execute"] == "query-migrate");
            if asked == 2 {
                fault(stream);
                return;
            }
            let listed = command["execute"] == "query-migrate-capabilities";
            let answer = if listed { json!([]) } else { active(5) };
            say(stream, &json!({"return": answer, "id": command["id"]}));
        });
        let error = migrate(&monitor.expect("connects"), go_on).expect_err(words);
        assert_eq!(error.kind(), ErrorKind::Monitor);
        assert!(error.to_string().contains(words), "{error}");
    };
    check(|stream| drop(stream.shutdown(std::net::Shutdown::Both)), "closed");
    check(|stream| drop(stream.write_all(b"{\"return\": {\"sta\n")), "no JSON");
}

#[test]
fn an_interrupt_cancels() {
    let (monitor, told) = qemu(vec![active(5)]);
    // An interrupt is entered for good: on a thread of its own.
    let error = std::thread::scope(|scope| {
        let migrating = scope.spawn(|| {
            let interrupt = crate::interrupt::Interrupt::new();
            interrupt.enter();
            migrate(&monitor, |_| {
                interrupt.request();
                Choice::GoOn
            })
        });
        migrating.join().expect("it ends")
    });
    assert_eq!(error.expect_err("interrupted").kind(), ErrorKind::Interrupted);
    let is_cancel = |told: Value| told[0] == "migrate_cancel";
    assert!(std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok()).any(is_cancel));
}

#[test]
fn a_refused_migration_takes_its_descriptor_back_and_leaves_no_settings() {
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    let set = "migrate-set-capabilities";
    let as_stream = [set, "getfd", "migrate", "closefd", set];
    assert_eq!(told_when_refused(writer.try_clone().expect("again").into(), &[]), as_stream);
    assert_eq!(told_when_refused(writer.into(), &["mapped-ram"]), as_stream, "no file");
    let file = || tempfile::tempfile().expect("a file").into();
    assert_eq!(told_when_refused(file(), &["multifd"]), as_stream, "it knows of no files");
    let as_file = [set, "add-fd", "migrate", "remove-fd", set];
    assert_eq!(told_when_refused(file(), &["mapped-ram"]), as_file);
}

/// What a QEMU with the capabilities `others` is told that does not want to be migrated to
/// `descriptor`.
#[track_caller]
fn told_when_refused(descriptor: OwnedFd, others: &'static [&'static str]) -> Vec<String> {
    let (tell, told) = std::sync::mpsc::channel();
    let monitor = fake(move |command, stream| {
        let name = command["execute"].as_str().unwrap_or_default().to_owned();
        let capabilities = others.iter().chain(&["events"]);
        let listed: Vec<Value> =
            capabilities.map(|name| json!({"capability": name, "state": false})).collect();
        let answer = if name.starts_with("query") { json!(listed) } else { json!({"fdset-id": 3}) };
        let message = if name == "migrate" {
            let error = json!({"class": "GenericError", "desc": "blocked by a 9p mount"});
            json!({"error": error, "id": command["id"]})
        } else {
            json!({"return": answer, "id": command["id"]})
        };
        let _ = tell.send(name);
        say(stream, &message);
    });
    let monitor = monitor.expect("connects");
    let error = start(&monitor, Target::Descriptor(descriptor), &Settings::default());
    let error: Error = error.err().expect("refused");
    assert!(error.to_string().contains("9p mount"), "{error}");
    told.try_iter().skip(1).collect()
}

#[test]
fn a_destination_arrives_fails_or_ends() {
    let process = std::process::Command::new("sleep").arg("600").spawn();
    let mut process = process.expect("`sleep` is everywhere");
    let pid = rustix::process::Pid::from_child(&process);
    let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
    let pidfd = pidfd.expect("our child");
    let take_in = |states: Vec<Value>| {
        let (monitor, _told) = qemu(states);
        let source = Source::Uri("unix:x".to_owned());
        let mut incoming = listen(&monitor, source, &Settings::default()).expect("it listens");
        incoming.wait(soon(), pidfd.as_fd())
    };
    let status = |status: &str| json!({ "status": status });
    take_in(vec![json!({}), status("active"), status("completed")]).expect("it arrived");
    let failed = json!({"status": "failed", "error-desc": "Unknown savevm section"});
    let error = take_in(vec![status("active"), failed]).expect_err("it failed");
    assert!(error.to_string().contains("did not arrive: Unknown savevm section"), "{error}");
    process.kill().expect("ours");
    let error = take_in(vec![status("active")]).expect_err("it ended");
    assert_eq!(error.kind(), ErrorKind::MigrateFailed);
    assert!(error.to_string().contains("ended meanwhile"), "{error}");
    process.wait().expect("it ended");
}

#[test]
fn an_address_is_what_the_source_is_told() {
    let check = |addresses: Value, expected: Option<&str>| {
        let (monitor, _told) = qemu(vec![json!({ "socket-address": addresses })]);
        let source = Source::Uri("tcp::0".to_owned());
        let incoming = listen(&monitor, source, &Settings::default()).expect("it listens");
        assert_eq!(incoming.address().expect("asked").as_deref(), expected);
    };
    let inet = |host: &str| json!({"type": "inet", "host": host, "port": "4321"});
    check(json!([inet("127.0.0.1")]), Some("tcp:127.0.0.1:4321"));
    check(json!([{"type": "unix", "path": "/x"}, inet("::1")]), Some("tcp:[::1]:4321"));
    check(json!([{"type": "inet"}]), None);
    check(json!(null), None);
}
