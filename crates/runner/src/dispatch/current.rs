//! The test that is on a desk.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use kvmtest::test::Identity;
use kvmtest::{Deadline, Error};

use super::Settings;
use crate::child::protocol::Finished;
use crate::child::spawn::Running;
use crate::child::verdict::Stop;
use crate::event::{TestFinished, TestStarted};
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use crate::report::Results;
use crate::scratch::Scratch;
use crate::stage::Places;

/// The test that is on a desk.
pub(super) struct Current {
    pub(super) test: Arc<PlannedTest>,
    pub(super) places: Places,
    pub(super) state: State,
    pub(super) timeout: Duration,
    /// When the phase began, in milliseconds since the run began.
    pub(super) phase_started: u64,
    /// Whether the test warned, so that it does not simply pass.
    pub(super) warned: bool,
    pub(super) verdict: Option<Finished>,
    started: u64,
    directory: String,
    /// Held so that it is removed with this.
    scratch: Option<Scratch>,
}

/// What is being done with it.
pub(super) enum State {
    Preparing,
    Running { running: Running, due: (Deadline, Due), stop: Option<Stop> },
    Cleaning,
}

/// What is to be done when a deadline passes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// The subtest's time is up.
    Timeout,
    /// It said how it ended, and should be gone.
    Linger,
    /// It was asked to end, and did not.
    Kill,
    /// It was killed, and is still there.
    GiveUp,
}

impl Current {
    pub(super) fn new(
        test: Arc<PlannedTest>,
        results: &Results,
        env: camino::Utf8PathBuf,
        now: u64,
    ) -> Self {
        let directory = Results::test_directory(test.number, &test.shortname);
        let places = Places { results: results.dir().join(&directory), scratch: "".into(), env };
        Self {
            test,
            places,
            state: State::Preparing,
            timeout: Duration::ZERO,
            phase_started: now,
            warned: false,
            verdict: None,
            started: now,
            directory,
            scratch: None,
        }
    }

    /// Makes what the test needs before anything of it runs; says why it cannot be run.
    pub(super) fn set_up(&mut self, results: &Results, settings: &Settings) -> Result<(), String> {
        results
            .create_test(&self.directory)
            .map_err(|error| format!("cannot make the directory {}: {error}", self.directory))?;
        let params = serde_json::to_vec_pretty(&self.test.params).unwrap_or_default();
        // A loss that the other files of this directory will share, and the reports tell of.
        let _ = std::fs::write(self.places.results.join("params.json"), params);
        self.test.program.as_ref().map_err(String::clone)?;
        self.timeout = self
            .test
            .params
            .get_duration_or("test_timeout", settings.timeout)
            .map_err(|error| error.to_string())?;
        let scratch = Scratch::make(&settings.scratch).map_err(|error| {
            format!("cannot make a scratch directory in {}: {error}", settings.scratch)
        })?;
        self.places.scratch =
            scratch.path().ok_or("the scratch directory's path is not UTF-8")?.to_owned();
        self.scratch = Some(scratch);
        Ok(())
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            name: self.test.name.clone(),
            shortname: self.test.shortname.clone(),
            subtest: self.test.subtest.clone(),
            iteration: self.test.iteration,
            results_dir: self.places.results.clone(),
            scratch_dir: self.places.scratch.clone(),
        }
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            State::Running { due, .. } => Some(due.0),
            State::Preparing | State::Cleaning => None,
        }
    }

    /// Asks the child to end; the first reason is the one that counts.
    pub(super) fn stop(&mut self, why: Stop, grace: Duration) {
        let State::Running { running, due, stop } = &mut self.state else { return };
        if stop.is_none() {
            *stop = Some(why);
            running.terminate();
            *due = (Deadline::after(grace), Due::Kill);
        }
    }

    /// The child has said how the test ended: its process has so much time left.
    pub(super) fn expect_end(&mut self, grace: Duration) {
        let State::Running { due, stop: None, .. } = &mut self.state else { return };
        *due = (due.0.at_most(grace), Due::Linger);
    }

    pub(super) fn stop_reason(&self) -> Option<Stop> {
        match &self.state {
            State::Running { stop, .. } => *stop,
            State::Preparing | State::Cleaning => None,
        }
    }

    /// Does what is due; tells whether the child is to be given up.
    pub(super) fn check_deadline(&mut self, grace: Duration) -> bool {
        let State::Running { running, due, .. } = &mut self.state else { return false };
        if !due.0.expired() {
            return false;
        }
        match due.1 {
            Due::Timeout => self.stop(Stop::Timeout(self.timeout), grace),
            Due::Linger => self.stop(Stop::Lingered, grace),
            Due::Kill => {
                running.kill();
                *due = (Deadline::after(Duration::from_secs(30)), Due::GiveUp);
            }
            Due::GiveUp => return true,
        }
        false
    }

    /// Cleaning up failed: that fails a test that had passed, and is told of in any other.
    pub(super) fn clean_up_failed(&mut self, error: &Error) {
        let Some(verdict) = &mut self.verdict else { return };
        if verdict.outcome.is_failure() {
            verdict.message = format!("{}; cleaning up failed as well: {error}", verdict.message);
        } else {
            let outcome = Outcome::of_clean_up(error.kind()).max(verdict.outcome);
            *verdict = Finished::of_error(outcome, error).within("cleaning up");
        }
    }

    pub(super) fn started_event(&self) -> TestStarted {
        TestStarted {
            test: self.test.number,
            name: self.test.name.clone(),
            shortname: self.test.shortname.clone(),
            subtest: self.test.subtest.clone(),
            iteration: self.test.iteration,
            attempt: 1,
            worker: 1,
            directory: self.directory.clone(),
        }
    }

    pub(super) fn finished_event(self, now: u64) -> TestFinished {
        let verdict = self
            .verdict
            .unwrap_or_else(|| Finished::new(Outcome::Error, "the test ended without a verdict"));
        let outcome = match verdict.outcome {
            Outcome::Pass if self.warned => Outcome::Warn,
            other => other,
        };
        TestFinished {
            test: self.test.number,
            outcome,
            cause: None,
            retried: false,
            flaky: false,
            known: None,
            kind: verdict.kind,
            message: verdict.message,
            contexts: verdict.contexts,
            location: verdict.location,
            output: verdict.output,
            backtrace: verdict.backtrace,
            evidence: evidence(&self.places.results),
            duration_ms: now.saturating_sub(self.started),
            stalled_ms: 0,
            living: Vec::new(),
        }
    }
}

/// The files that the test left for people, by name.
fn evidence(dir: &Utf8Path) -> Vec<String> {
    /// Of more than these a person is better told the directory.
    const MOST: usize = 50;
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_owned()))
        .filter(|name| name != "params.json" && name != "result.json")
        .collect();
    names.sort();
    names.truncate(MOST);
    names
}
