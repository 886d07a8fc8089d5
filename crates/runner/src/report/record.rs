//! One try of a test as its events tell it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kvmtest::test::Note;
use serde::Serialize;

use super::transitions::Transitions;
use crate::event::{Event, Phase, TestFinished, TestStarted, What};
use crate::outcome::Outcome;

/// What the events said of one try of a test.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// When its turn came.
    pub began: Timestamp,
    /// The same in milliseconds since the run began.
    pub began_ms: u64,
    /// Which test it is.
    #[serde(flatten)]
    pub started: TestStarted,
    /// How it ended; nothing where the events end before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<TestFinished>,
    /// How long each phase took, and what went wrong in it.
    pub phases: Vec<PhaseRecord>,
    /// Where it took long.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slow: Vec<SlowRecord>,
    /// What was bad, but no failure.
    pub warnings: Vec<String>,
    /// The facts that it kept.
    pub facts: BTreeMap<String, String>,
    /// What its machines went through under it (`--perturb`).
    #[serde(skip_serializing_if = "Transitions::is_empty")]
    pub transitions: Transitions,
    /// What it said, the first [`Record::NOTES`] lines; the others are in `debug.log` only.
    #[serde(skip)]
    pub notes: Vec<NoteRecord>,
    /// The phase that it is in, and when that began, in milliseconds since the test did.
    #[serde(skip)]
    pub phase: Option<(Phase, u64)>,
}

/// A phase that is over.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseRecord {
    /// Which one.
    pub phase: Phase,
    /// When it began, in milliseconds since the test did.
    pub start_ms: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What went wrong in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A test was still in the same phase after a long time.
#[derive(Debug, Clone, Serialize)]
pub struct SlowRecord {
    /// Which phase.
    pub phase: Phase,
    /// When this was noticed, in milliseconds since the test began.
    pub at_ms: u64,
    /// How long it had been in the phase by then, in milliseconds.
    pub after_ms: u64,
    /// What it waited for.
    pub waiting_for: String,
}

/// A line that a test said.
#[derive(Debug, Clone, Serialize)]
pub struct NoteRecord {
    /// When, in milliseconds since the test began.
    pub at_ms: u64,
    /// Whether it was a warning.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
    /// What.
    pub text: String,
}

impl Record {
    /// How many lines of what a test says are kept for the reports.
    pub const NOTES: usize = 200;

    fn new(event: &Event, started: TestStarted) -> Self {
        Self {
            began: event.at,
            began_ms: event.ms,
            started,
            finished: None,
            phases: Vec::new(),
            slow: Vec::new(),
            warnings: Vec::new(),
            facts: BTreeMap::new(),
            transitions: Transitions::default(),
            notes: Vec::new(),
            phase: None,
        }
    }

    /// A test of which nothing but its end is known.
    fn of_end(event: &Event, finished: &TestFinished) -> Self {
        let name = format!("test {}", finished.test);
        let started = TestStarted {
            test: finished.test,
            name: name.clone(),
            shortname: name,
            subtest: String::new(),
            iteration: 1,
            attempt: 1,
            worker: 1,
            directory: String::new(),
        };
        let began_ms = event.ms.saturating_sub(finished.duration_ms);
        Self { began_ms, ..Self::new(event, started) }
    }

    /// What people call the test, with the number of the repetition where there is more than one.
    pub fn label(&self) -> String {
        let started = &self.started;
        let name = if started.shortname.is_empty() { &started.subtest } else { &started.shortname };
        if started.iteration > 1 { format!("{name} ({})", started.iteration) } else { name.clone() }
    }

    /// How it ended; [`Outcome::Error`] where the events do not tell.
    pub fn outcome(&self) -> Outcome {
        self.finished.as_ref().map_or(Outcome::Error, |finished| finished.outcome)
    }

    /// The outcome in one word: one of [`Outcome`], `KNOWN` for a failure that was expected, or
    /// `UNFINISHED` where the events end before the test did.
    pub fn word(&self) -> &'static str {
        match &self.finished {
            None => "UNFINISHED",
            Some(finished) if finished.known.is_some() => "KNOWN",
            Some(finished) => finished.outcome.word(),
        }
    }

    /// Whether it failed, and nobody expected that.
    pub fn is_failure(&self) -> bool {
        self.outcome().is_failure() && !self.is_known()
    }

    /// Whether the failure was expected.
    pub fn is_known(&self) -> bool {
        self.finished.as_ref().is_some_and(|finished| finished.known.is_some())
    }

    /// Whether another try followed, so that this one does not count.
    pub fn is_retried(&self) -> bool {
        self.finished.as_ref().is_some_and(|finished| finished.retried)
    }

    /// How long it took, in milliseconds; zero where the events do not tell.
    pub fn duration_ms(&self) -> u64 {
        self.finished.as_ref().map_or(0, |finished| finished.duration_ms)
    }

    fn note(&mut self, at_ms: u64, note: Note) {
        let (warning, text) = match note {
            Note::Warning { message } => {
                self.warnings.push(message.clone());
                (true, message)
            }
            Note::KeyValue { key, value } => {
                let text = format!("{key} = {value}");
                self.facts.insert(key, value);
                (false, text)
            }
            Note::Log { message } => (false, message),
        };
        if self.notes.len() < Self::NOTES {
            self.notes.push(NoteRecord { at_ms, warning, text });
        }
    }
}

/// The tests that have begun and not ended.
#[derive(Debug, Clone, Default)]
pub struct Records {
    open: BTreeMap<u32, Record>,
}

impl Records {
    /// Takes the next event; gives back the try that it ended, if it did.
    ///
    /// Events may be missing. A try whose end is lost is given back when the next one of the same
    /// test begins, without an end; one whose beginning is lost has the number for a name.
    pub fn take(&mut self, event: &Event) -> Option<Record> {
        match &event.what {
            What::TestStarted(started) => {
                return self.open.insert(started.test, Record::new(event, started.clone()));
            }
            What::PhaseStarted { test, phase } => {
                let record = self.open.get_mut(test)?;
                record.phase = Some((*phase, event.ms.saturating_sub(record.began_ms)));
            }
            What::Note { test, note } => {
                let record = self.open.get_mut(test)?;
                record.note(event.ms.saturating_sub(record.began_ms), note.clone());
            }
            What::Perturbed { test, kind, what } => {
                let record = self.open.get_mut(test)?;
                record.transitions.add(*kind);
                let note = Note::Log { message: what.clone() };
                record.note(event.ms.saturating_sub(record.began_ms), note);
            }
            What::Slow { test, phase, after_ms, waiting_for } => {
                let record = self.open.get_mut(test)?;
                record.slow.push(SlowRecord {
                    phase: *phase,
                    at_ms: event.ms.saturating_sub(record.began_ms),
                    after_ms: *after_ms,
                    waiting_for: waiting_for.clone(),
                });
            }
            What::PhaseEnded { test, phase, duration_ms, error } => {
                let record = self.open.get_mut(test)?;
                let now = event.ms.saturating_sub(record.began_ms);
                record.phase = None;
                record.phases.push(PhaseRecord {
                    phase: *phase,
                    start_ms: now.saturating_sub(*duration_ms),
                    duration_ms: *duration_ms,
                    error: error.clone(),
                });
            }
            What::TestFinished(finished) => {
                let open = self.open.remove(&finished.test);
                let mut record = open.unwrap_or_else(|| Record::of_end(event, finished));
                record.finished = Some(finished.clone());
                return Some(record);
            }
            What::RunStarted(_)
            | What::Planned { .. }
            | What::Entered { .. }
            | What::Left { .. }
            | What::Remark { .. }
            | What::RunFinished { .. } => {}
        }
        None
    }

    /// The test of this number, if it has begun and not ended.
    pub fn open(&self, test: u32) -> Option<&Record> {
        self.open.get(&test)
    }

    /// How many have begun and not ended.
    pub(super) fn running(&self) -> usize {
        self.open.len()
    }

    /// All that have begun and not ended, in the order of their numbers.
    pub fn rest(&mut self) -> impl Iterator<Item = Record> + use<> {
        std::mem::take(&mut self.open).into_values()
    }
}
