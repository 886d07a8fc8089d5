//! For tests: a monitor with nothing behind it but a script.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::QmpMonitor;
use crate::deadline::Deadline;
use crate::error::Result;

/// A QEMU that greets, negotiates, and then does what `script` says with each further line.
pub(crate) fn fake(
    script: impl FnMut(&Value, &mut UnixStream) + Send + 'static,
) -> Result<QmpMonitor> {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    std::thread::spawn(move || serve(theirs, script));
    QmpMonitor::connect("m1", ours, None, Deadline::after(Duration::from_secs(10)))
}

/// The same on a socket of one's own.
pub(crate) fn serve(mut stream: UnixStream, mut script: impl FnMut(&Value, &mut UnixStream)) {
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

/// Sends a message.
pub(crate) fn say(stream: &mut UnixStream, message: &Value) {
    let _ = stream.write_all(format!("{message}\r\n").as_bytes());
}
