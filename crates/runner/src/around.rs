//! What is around one test: from the first step before it to the last one after it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kvmtest::env::Env;
use kvmtest::host::{Left, ProcessId};
use kvmtest::test::Note;
use kvmtest::{Error, Params, Result};

use crate::child::Program;
use crate::film::Film;
use crate::hugepages::{Hugepages, Reserved};
use crate::plan::PlannedTest;
use crate::preprocess::Refusals;
use crate::profiler::Profiler;
use crate::stage::Places;

/// What the steps before and after a test work on, and what those before it leave to those after.
pub(crate) struct Around {
    /// The test's full name.
    pub(crate) test: String,
    /// The test's params; after a failure, with what its `X_on_error` say.
    pub(crate) params: Params,
    /// What runs the subtests that make states of its machines, by their names.
    pub(crate) makers: Arc<BTreeMap<String, Arc<Program>>>,
    pub(crate) places: Places,
    pub(crate) env: Arc<Env>,
    /// What the tests before this one found out.
    pub(crate) refusals: Arc<Mutex<Refusals>>,
    /// Who holds the machines.
    pub(crate) holder: ProcessId,
    /// Whether the test failed.
    pub(crate) failed: bool,
    pub(crate) hugepages: Hugepages,
    pub(crate) reserved: Vec<Reserved>,
    pub(crate) film: Option<Film>,
    pub(crate) profilers: Vec<Profiler>,
    /// What `pre_command` left running.
    pub(crate) left: Vec<Left>,
    notes: Vec<Note>,
}

/// Something that is done before or after a test.
pub(crate) struct Step {
    /// One word for it.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) what: &'static str,
    /// The keys that it looks at.
    pub(crate) keys: &'static [&'static str],
    /// Refuses what its keys cannot mean, if it has any that can mean nothing; asked before
    /// anything is done, of all steps.
    pub(crate) check: Option<fn(&Params) -> Result<()>>,
    /// Does it.
    pub(crate) run: fn(&mut Around) -> Result<()>,
}

impl Around {
    pub(crate) fn new(test: &PlannedTest, places: &Places, env: Env, holder: &ProcessId) -> Self {
        Self {
            test: test.name.clone(),
            params: test.params.clone(),
            makers: test.makers.clone(),
            places: places.clone(),
            env: Arc::new(env),
            refusals: Arc::default(),
            holder: holder.clone(),
            failed: false,
            hugepages: Hugepages::default(),
            reserved: Vec::new(),
            film: None,
            profilers: Vec::new(),
            left: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Something bad that is no failure.
    pub(crate) fn warn(&mut self, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!("{message}");
        self.notes.push(Note::Warning { message });
    }

    /// A line for the log.
    pub(crate) fn log(&mut self, message: impl Into<String>) {
        let message = message.into();
        tracing::info!("{message}");
        self.notes.push(Note::Log { message });
    }

    /// A fact to keep with the result.
    pub(crate) fn fact(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        tracing::info!("{key} = {value}");
        self.notes.push(Note::KeyValue { key, value });
    }

    /// What others had to say.
    pub(crate) fn note_all(&mut self, notes: Vec<Note>) {
        self.notes.extend(notes);
    }

    /// Takes what there was to say.
    pub(crate) fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

impl Step {
    pub(crate) fn check(&self, params: &Params) -> Result<()> {
        self.check.map_or(Ok(()), |check| check(params))
    }

    pub(crate) fn run(&self, around: &mut Around) -> Result<()> {
        tracing::trace!("{}: {} ({})", self.name, self.what, self.keys.join(", "));
        (self.run)(around).map_err(|error: Error| error.context(self.what))
    }
}
