//! `result.json` of each test, and `summary.json` of the run.

use std::io;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::Fold;
use super::record::{Record, Records};
use super::results::write_whole;
use crate::event::{Counts, Event, RunStarted, VERSION, What};
use crate::outcome::Outcome;

/// Writes `result.json` into the directory of each test, and `summary.json` beside them.
pub struct Json {
    dir: Utf8PathBuf,
    records: Records,
    run: Option<RunStarted>,
    rows: Vec<Row>,
}

impl Json {
    /// Writes below `dir`, the results directory of the run.
    pub fn new(dir: impl Into<Utf8PathBuf>) -> Self {
        Self { dir: dir.into(), records: Records::default(), run: None, rows: Vec::new() }
    }

    fn finish_test(&mut self, record: &Record) -> io::Result<()> {
        let Some(finished) = &record.finished else { return Ok(()) };
        self.rows.push(Row {
            test: record.started.test,
            shortname: record.started.shortname.clone(),
            outcome: finished.outcome,
            message: finished.message.clone(),
            duration_ms: finished.duration_ms,
            directory: record.started.directory.clone(),
        });
        let path = self.dir.join(&record.started.directory).join("result.json");
        write_json(path, &TestResult { version: VERSION, record })
    }
}

impl Fold for Json {
    fn name(&self) -> &'static str {
        "result.json"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Some(record) = self.records.take(event) {
            return self.finish_test(&record);
        }
        match &event.what {
            What::RunStarted(started) => self.run = Some(started.clone()),
            What::RunFinished { counts, duration_ms, interrupted } => {
                let summary = Summary {
                    version: VERSION,
                    run: self.run.as_ref(),
                    counts: *counts,
                    duration_ms: *duration_ms,
                    interrupted: *interrupted,
                    tests: &self.rows,
                };
                return write_json(self.dir.join("summary.json"), &summary);
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct TestResult<'a> {
    version: u32,
    #[serde(flatten)]
    record: &'a Record,
}

#[derive(Serialize)]
struct Summary<'a> {
    version: u32,
    run: Option<&'a RunStarted>,
    counts: Counts,
    duration_ms: u64,
    interrupted: bool,
    tests: &'a [Row],
}

#[derive(Serialize)]
struct Row {
    test: u32,
    shortname: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    duration_ms: u64,
    directory: String,
}

fn write_json(path: Utf8PathBuf, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    write_whole(&path, &text)
}
