//! Results of a run that never was, to make pages of.

use camino::Utf8Path;
use serde_json::{Value, json};

/// Writes the results of a run event by event.
pub(crate) struct Record {
    dir: camino::Utf8PathBuf,
    lines: Vec<String>,
    ms: u64,
}

impl Record {
    /// A run of `planned` tests, whose results are in `dir`.
    pub(crate) fn new(dir: &Utf8Path, planned: u32) -> Self {
        std::fs::create_dir_all(dir).expect("made");
        let mut record = Self { dir: dir.to_owned(), lines: Vec::new(), ms: 0 };
        record.tell(json!({
            "event": "run-started", "version": 1, "program": "kvmtest 0.1.0",
            "host": {"name": "host", "kernel": "6.1", "machine": "x86_64", "cpus": 2},
            "argv": ["kvmtest", "run", "mem = 512"], "results": "/moved/away", "planned": planned,
            "set": "quick", "sources": [dir.join("sources")],
        }));
        record
    }

    /// One more event.
    pub(crate) fn tell(&mut self, mut event: Value) {
        event["at"] = "2026-01-02T03:04:05Z".into();
        event["ms"] = self.ms.into();
        self.lines.push(event.to_string());
    }

    /// A test with its phases. `more` is added to its end: outcome, message, and so on.
    pub(crate) fn test(&mut self, test: u32, name: &str, more: &Value) {
        let directory = format!("{test:03}-test");
        std::fs::create_dir_all(self.dir.join(&directory)).expect("made");
        self.tell(json!({
            "event": "test-started", "test": test, "name": format!("q35.small.{name}"),
            "shortname": name, "subtest": "sub", "iteration": 1, "attempt": 1,
            "worker": 1 + test % 2, "directory": directory,
        }));
        for (phase, duration) in [("prepare", 100), ("run", 300), ("clean", 20)] {
            self.tell(json!({"event": "phase-started", "test": test, "phase": phase}));
            self.ms += duration;
            self.tell(json!({
                "event": "phase-ended", "test": test, "phase": phase, "duration_ms": duration,
            }));
        }
        let mut end = json!({
            "event": "test-finished", "test": test, "outcome": "PASS", "duration_ms": 420,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            end[key] = value.clone();
        }
        self.tell(end);
    }

    /// A file of a test.
    pub(crate) fn file(&self, test: u32, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.dir.join(format!("{test:03}-test")).join(name), content)
            .expect("written");
    }

    /// The end of the run, and the events on the disk.
    pub(crate) fn finish(&mut self, counts: &Value) {
        self.tell(json!({
            "event": "run-finished", "counts": counts, "duration_ms": self.ms, "interrupted": false,
        }));
        self.write();
    }

    /// The events so far on the disk.
    pub(crate) fn write(&self) {
        std::fs::write(self.dir.join("events.jsonl"), self.text()).expect("written");
    }

    /// The events so far.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat()
    }
}
