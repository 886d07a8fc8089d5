//! Reads a child's events out of a stream of bytes that may hold anything.

use super::ending::Breach;
use super::protocol::{ChildEvent, Finished, VERSION};

/// How much a child may say.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineLimits {
    /// Bytes in one line.
    pub(super) line: usize,
    /// Bytes in all lines together.
    pub(super) total: u64,
}

/// Cuts bytes into lines, and lines into events.
#[derive(Debug)]
pub(super) struct Lines {
    limits: LineLimits,
    buffer: Vec<u8>,
    total: u64,
    started: bool,
    finished: Option<Finished>,
}

impl Lines {
    pub(super) fn new(limits: LineLimits) -> Self {
        Self { limits, buffer: Vec::new(), total: 0, started: false, finished: None }
    }

    /// Takes the next bytes; hands each whole event to `on_event`, the finished one excepted.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut on_event: impl FnMut(ChildEvent),
    ) -> Result<(), Breach> {
        self.total += bytes.len() as u64;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.append(&rest[..end])?;
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.buffer);
            if let Some(event) = self.event(&line)? {
                on_event(event);
            }
        }
        self.append(rest)?;
        if self.total > self.limits.total {
            return Err(Breach::Flood(self.limits.total));
        }
        Ok(())
    }

    /// The stream has ended: what is left must be nothing.
    pub(super) fn end(&self) -> Result<(), Breach> {
        if self.buffer.is_empty() { Ok(()) } else { Err(Breach::Torn(beginning(&self.buffer))) }
    }

    /// How the child said that the test ended.
    pub(super) fn finished(&self) -> Option<&Finished> {
        self.finished.as_ref()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Breach> {
        if self.buffer.len() + bytes.len() > self.limits.line {
            return Err(Breach::LongLine(self.limits.line));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn event(&mut self, line: &[u8]) -> Result<Option<ChildEvent>, Breach> {
        let event = serde_json::from_slice(line)
            .map_err(|error| Breach::Garbage(beginning(line), error.to_string()))?;
        if self.finished.is_some() {
            return Err(Breach::Order("an event came after `finished`"));
        }
        match event {
            ChildEvent::Started { version, .. } if version != VERSION => {
                Err(Breach::Version(version))
            }
            ChildEvent::Started { .. } if self.started => {
                Err(Breach::Order("`started` came twice"))
            }
            ChildEvent::Started { .. } => {
                self.started = true;
                Ok(Some(event))
            }
            _ if !self.started => Err(Breach::Order("the first event was not `started`")),
            ChildEvent::Finished(finished) => {
                self.finished = Some(finished);
                Ok(None)
            }
            ChildEvent::Note { .. } | ChildEvent::Doing { .. } | ChildEvent::Perturbed { .. } => {
                Ok(Some(event))
            }
        }
    }
}

/// The beginning of a line, for a person to read.
fn beginning(line: &[u8]) -> String {
    let shown = &line[..line.len().min(80)];
    let dots = if shown.len() < line.len() { "…" } else { "" };
    format!("{}{dots}", String::from_utf8_lossy(shown).escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = "{\"event\":\"started\",\"version\":1,\"pid\":1}\n";
    const NOTE: &str = "{\"event\":\"note\",\"note\":{\"note\":\"log\",\"message\":\"m\"}}\n";
    const FINISHED: &str = "{\"event\":\"finished\",\"outcome\":\"PASS\"}\n";

    /// Feeds `text` in pieces of `size` bytes; tells the number of events, or the breach.
    fn read(text: &[u8], size: usize) -> Result<(usize, bool), String> {
        let mut lines = Lines::new(LineLimits { line: 100, total: 400 });
        let mut events = 0;
        for piece in text.chunks(size) {
            lines.feed(piece, |_| events += 1).map_err(|breach| breach.to_string())?;
        }
        lines.end().map_err(|breach| breach.to_string())?;
        Ok((events, lines.finished().is_some()))
    }

    fn check(text: &str, expect: Result<(usize, bool), &str>) {
        for size in [1, 7, 1000] {
            match (read(text.as_bytes(), size), &expect) {
                (Ok(seen), Ok(expected)) => assert_eq!(seen, *expected, "{text}"),
                (Err(seen), Err(part)) => assert!(seen.contains(part), "{seen} lacks {part}"),
                (seen, _) => panic!("{seen:?} is not {expect:?} for {text}"),
            }
        }
    }

    #[test]
    fn whole_lines_are_events_however_they_arrive() {
        check("", Ok((0, false)));
        check(STARTED, Ok((1, false)));
        check(&format!("{STARTED}{NOTE}{NOTE}{FINISHED}"), Ok((3, true)));
    }

    #[test]
    fn whatever_else_comes_is_a_breach() {
        check("hello\n", Err("no event"));
        check(&format!("{STARTED}\n"), Err("no event"));
        check("{\"event\":\"finished\"", Err("cut off"));
        check(FINISHED, Err("first event was not"));
        check(&format!("{STARTED}{STARTED}"), Err("twice"));
        check(&format!("{STARTED}{FINISHED}{NOTE}"), Err("after `finished`"));
        check(&STARTED.replace("1,", "2,"), Err("version 2"));
        check(&format!("{STARTED}{}", "x".repeat(101)), Err("more than 100 bytes"));
        check(&format!("{STARTED}{}", NOTE.repeat(10)), Err("more than 400 bytes of events"));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_harmlessly() {
        let seen = read(b"\x1b[2J\xff\n", 100).expect_err("garbage");
        assert!(seen.contains("\\u{1b}[2J"), "{seen}");
        assert!(!seen.contains('\x1b'), "{seen:?}");
    }
}
