//! A monitor that a person types on.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

pub(super) struct Typed {
    lines: BufReader<UnixStream>,
}

impl Typed {
    /// Is greeted, and greets.
    pub(super) fn on(stream: UnixStream) -> Self {
        let mut monitor = Self { lines: BufReader::new(stream) };
        monitor.line();
        monitor.types(r#"{"execute":"qmp_capabilities"}"#);
        monitor
    }

    /// Types `text`, and reads the answer.
    pub(super) fn types(&mut self, text: &str) -> Value {
        writeln!(self.lines.get_mut(), "{text}").expect("QEMU listens");
        loop {
            let mut line: Value = serde_json::from_str(&self.line()).expect("JSON");
            assert!(line.get("error").is_none(), "{text}: {line}");
            if let Some(answer) = line.get_mut("return") {
                return answer.take();
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("QEMU talks");
        line
    }
}
