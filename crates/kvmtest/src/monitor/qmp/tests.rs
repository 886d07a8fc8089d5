use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::super::tests::machine::Machine;
use super::super::tests::scripted::{fake, say, serve};
use super::*;

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn an_answer_goes_to_its_command_past_events_and_late_answers() {
    let monitor = fake(|command, stream| {
        say(stream, &json!({"event": "SPICE_OF_TOMORROW", "data": {"x": 1}}));
        say(stream, &json!({"return": "late", "id": "m1-999"}));
        say(stream, &json!({"return": command["execute"], "id": command["id"]}));
    })
    .expect("connects");
    for name in ["query-a", "query-b"] {
        assert_eq!(monitor.cmd(name, Value::Null).expect("answers"), name);
    }
    let event = monitor.wait_event("SPICE_OF_TOMORROW", SHORT).expect("was queued");
    assert_eq!(event.data["x"], 1);
    assert_eq!(monitor.events().len(), 1, "one was taken, one is left");
}

#[test]
fn a_refusal_says_what_was_refused_and_why() {
    let monitor = fake(|command, stream| {
        let error = json!({"class": "DeviceNotFound", "desc": "no `x` here"});
        say(stream, &json!({"error": error, "id": command["id"]}));
    })
    .expect("connects");
    let error = monitor.cmd("device_del", json!({"id": "x"})).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand);
    assert_eq!(error.message(), "QEMU refused `device_del`: no `x` here (DeviceNotFound)");
}

#[test]
fn a_socket_that_never_greets_is_an_error_at_the_deadline() {
    let (ours, _theirs) = UnixStream::pair().expect("a pair");
    let error = QmpMonitor::connect("m1", ours, None, Deadline::after(SHORT)).err();
    assert_eq!(error.expect("never greeted").kind(), ErrorKind::MonitorTimeout);
}

#[test]
fn garbage_ends_the_connection_with_its_first_words() {
    let monitor = fake(|_, stream| {
        let _ = stream.write_all(b"\x1b[31mSegmentation fault\n");
    })
    .expect("connects");
    let error = monitor.cmd("query-status", Value::Null).expect_err("no JSON came");
    assert_eq!(error.kind(), ErrorKind::Monitor);
    assert!(error.message().contains("\\u{1b}[31mSegmentation"), "{error}");
    monitor.cmd("query-status", Value::Null).expect_err("and it stays ended");
}

#[test]
fn a_monitor_that_closes_ends_every_wait_at_once() {
    let monitor = fake(|_, stream| {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    })
    .expect("connects");
    let error = monitor.cmd("quit", Value::Null).expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Monitor);
    let error = monitor.wait_event("SHUTDOWN", Duration::from_secs(600)).expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Monitor);
}

#[test]
fn a_silent_monitor_times_out_and_names_the_command() {
    let monitor = fake(|_, _| {}).expect("connects");
    let error = monitor.cmd_timeout("query-status", Value::Null, SHORT).expect_err("silent");
    assert_eq!(error.kind(), ErrorKind::MonitorTimeout);
    assert!(error.to_string().contains("query-status"), "{error}");
    monitor.wait_event("RESET", SHORT).expect_err("nothing came");
}

#[test]
fn a_raw_line_gets_the_raw_answer() {
    let monitor = fake(|_, _| {}).expect("connects");
    let answer = monitor.cmd_raw("{ this is no JSON").expect("answered");
    assert_eq!(answer["error"]["class"], "GenericError");
}

#[test]
fn every_line_is_in_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = Utf8Path::from_path(dir.path()).expect("UTF-8").join("qmp.jsonl");
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    std::thread::spawn(move || {
        serve(theirs, |command, stream| {
            say(stream, &json!({"return": 7, "id": command["id"]}));
        });
    });
    let deadline = Deadline::after(Duration::from_secs(10));
    let monitor = QmpMonitor::connect("m1", ours, Some(&log), deadline).expect("connects");
    monitor.cmd("query-x", Value::Null).expect("answers");
    let text = std::fs::read_to_string(&log).expect("a log");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 5, "greeting, negotiation twice, command, answer: {text}");
    assert_eq!(lines[3]["to"]["execute"], "query-x");
    assert_eq!(lines[4]["from"]["return"], 7);
}

/// Reads lines byte by byte, as QEMU does, with the descriptors that come with them.
fn receive(stream: &UnixStream, sent: &mut Vec<OwnedFd>) -> Option<Value> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let (mut room, mut byte) = ([MaybeUninit::uninit(); 256], [0]);
        let mut rights = RecvAncillaryBuffer::new(&mut room);
        let slices = &mut [IoSliceMut::new(&mut byte)];
        let received = recvmsg(stream, slices, &mut rights, RecvFlags::CMSG_CLOEXEC).ok()?;
        if received.bytes == 0 {
            return None;
        }
        for message in rights.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                sent.extend(descriptors);
            }
        }
        line.push(byte[0]);
    }
    serde_json::from_slice(&line).ok()
}

#[test]
fn a_descriptor_goes_with_its_command() {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    // A line that does not fit goes in pieces.
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, 2048).expect("set");
    let name = "n".repeat(200_000);
    let qemu = std::thread::spawn(move || {
        say(&mut theirs, &json!({"QMP": {}}));
        let mut seen = Vec::new();
        let mut sent = Vec::new();
        while let Some(command) = receive(&theirs, &mut sent) {
            seen.push((command["execute"].clone(), command["arguments"].clone(), sent.len()));
            say(&mut theirs, &json!({"return": {}, "id": command["id"]}));
        }
        (seen, sent)
    });
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let deadline = Deadline::after(Duration::from_secs(60));
    let monitor = QmpMonitor::connect("m1", ours, None, deadline).expect("connects");
    monitor.pass_fd(&name, writer.as_fd()).expect("passed");
    drop(writer);
    monitor.close_fd(&name).expect("closed");
    drop(monitor);
    let (seen, sent) = qemu.join().expect("it ends");
    let named = json!({ "fdname": name });
    let expected = [
        (json!("qmp_capabilities"), json!({}), 0),
        (json!("getfd"), named.clone(), 1),
        (json!("closefd"), named, 1),
    ];
    assert!(seen == expected, "{:?}", seen.iter().map(|it| (&it.0, it.2)).collect::<Vec<_>>());
    let mut writer = std::fs::File::from(sent.into_iter().next().expect("one"));
    writer.write_all(b"through it").expect("it is our pipe");
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("read");
    assert_eq!(text, "through it");
}

#[test]
fn a_descriptor_for_a_monitor_that_closed_is_an_error() {
    let monitor = fake(|_, stream| {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    })
    .expect("connects");
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    for _again in 0..2 {
        let error = monitor.pass_fd("x", writer.as_fd()).expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::Monitor);
        assert!(error.to_string().contains("passing the descriptor `x`"), "{error}");
    }
}

#[test]
fn qemu_takes_a_descriptor_under_a_number_and_gives_it_back() {
    let Some(machine) = Machine::start(&[]) else { return };
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    // An older one closes nothing while its machine stands still.
    machine.monitor.cmd("cont", serde_json::Value::Null).expect("it runs");
    let number = machine.monitor.add_fd(writer.as_fd()).expect("taken");
    assert_ne!(machine.monitor.add_fd(writer.as_fd()).expect("taken, too"), number);
    drop(writer);
    let sets = machine.monitor.cmd("query-fdsets", serde_json::Value::Null).expect("asked");
    for set in sets.as_array().expect("a list") {
        let number = set["fdset-id"].as_u64().expect("a number");
        machine.monitor.remove_fd(number).expect("it had it");
    }
    // Nobody has the writing end any more.
    assert_eq!(reader.read(&mut [0]).expect("its end"), 0);
    let error = machine.monitor.remove_fd(number).expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand);
}

#[test]
fn qemu_takes_a_descriptor_and_gives_it_back() {
    let Some(machine) = Machine::start(&[]) else { return };
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    machine.monitor.pass_fd("out", writer.as_fd()).expect("taken");
    drop(writer);
    machine.monitor.close_fd("out").expect("it had it");
    // Nobody has the writing end any more.
    assert_eq!(reader.read(&mut [0]).expect("its end"), 0);
    let error = machine.monitor.close_fd("out").expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand);
    let error = machine.monitor.pass_fd("1x", reader.as_fd()).expect_err("no name");
    assert_eq!(error.kind(), ErrorKind::MonitorCommand);
}
