//! One test as its events tell it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kvmtest::test::Note;
use serde::Serialize;

use crate::event::{Event, Phase, TestFinished, TestStarted, What};

/// What the events said of one test.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// When its turn came.
    pub began: Timestamp,
    /// Which test it is.
    #[serde(flatten)]
    pub started: TestStarted,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<TestFinished>,
    /// How long each phase took, and what went wrong in it.
    pub phases: Vec<PhaseRecord>,
    /// What was bad, but no failure.
    pub warnings: Vec<String>,
    /// The facts that it kept.
    pub facts: BTreeMap<String, String>,
}

/// A phase that is over.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseRecord {
    /// Which one.
    pub phase: Phase,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What went wrong in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The tests that have begun and not ended.
#[derive(Debug, Default)]
pub struct Records {
    open: BTreeMap<u32, Record>,
}

impl Records {
    /// Takes the next event; gives back the test that it ended, if it did.
    pub fn take(&mut self, event: &Event) -> Option<Record> {
        match &event.what {
            What::TestStarted(started) => {
                let record = Record {
                    began: event.at,
                    started: started.clone(),
                    finished: None,
                    phases: Vec::new(),
                    warnings: Vec::new(),
                    facts: BTreeMap::new(),
                };
                self.open.insert(started.test, record);
            }
            What::Note { test, note } => {
                let record = self.open.get_mut(test)?;
                match note.clone() {
                    Note::Warning { message } => record.warnings.push(message),
                    Note::KeyValue { key, value } => {
                        record.facts.insert(key, value);
                    }
                    Note::Log { .. } => {}
                }
            }
            What::PhaseEnded { test, phase, duration_ms, error } => {
                self.open.get_mut(test)?.phases.push(PhaseRecord {
                    phase: *phase,
                    duration_ms: *duration_ms,
                    error: error.clone(),
                });
            }
            What::TestFinished(finished) => {
                let mut record = self.open.remove(&finished.test)?;
                record.finished = Some(finished.clone());
                return Some(record);
            }
            _ => {}
        }
        None
    }
}
