use std::io::{BufRead, BufReader, Write};

use super::*;

/// A QEMU that greets, negotiates, and then does what `script` says with each further line.
fn fake(script: impl FnMut(&Value, &mut UnixStream) + Send + 'static) -> Result<QmpMonitor> {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    std::thread::spawn(move || serve(theirs, script));
    QmpMonitor::connect("m1", ours, None, Deadline::after(Duration::from_secs(10)))
}

fn serve(mut stream: UnixStream, mut script: impl FnMut(&Value, &mut UnixStream)) {
    say(&mut stream, &json!({"QMP": {"version": {}, "capabilities": ["oob"]}}));
    let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    for line in lines.map_while(std::result::Result::ok) {
        let Ok(command) = serde_json::from_str::<Value>(&line) else {
            say(&mut stream, &json!({"error": {"class": "GenericError", "desc": "JSON"}}));
            continue;
        };
        if command["execute"] == "qmp_capabilities" {
            say(&mut stream, &json!({"return": {}, "id": command["id"]}));
        } else {
            script(&command, &mut stream);
        }
    }
}

fn say(stream: &mut UnixStream, message: &Value) {
    let _ = stream.write_all(format!("{message}\r\n").as_bytes());
}

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
