//! The test that is on a desk.

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::test::Identity;
use kvmtest::{Deadline, Error};

use super::Settings;
use super::limits::TestLimits;
use super::slow::Slow;
use crate::cause::{Judgement, Kept};
use crate::child::protocol::Finished;
use crate::child::spawn::Running;
use crate::child::verdict::Stop;
use crate::clock::milliseconds;
use crate::event::{Cause, Phase, TestFinished, TestStarted};
use crate::hold::Held;
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use crate::report::Results;
use crate::scratch::Scratch;
use crate::stage::Places;
use crate::watch::Watcher;

/// The test that is on a desk.
pub(super) struct Current {
    pub(super) test: Arc<PlannedTest>,
    pub(super) places: Places,
    pub(super) limits: Option<TestLimits>,
    /// What is going on; nothing before the first phase.
    pub(super) phase: Option<PhaseState>,
    /// Whether the test warned, so that it does not simply pass.
    pub(super) warned: bool,
    pub(super) verdict: Option<Finished>,
    /// What watches its machines while the subtest runs.
    pub(super) watcher: Option<Watcher>,
    /// What is known of it beyond the verdict.
    pub(super) judgement: Option<Judgement>,
    /// What became of its machines.
    pub(super) held: Held,
    pub(super) attempt: u32,
    worker: u32,
    started: u64,
    directory: String,
    /// By how much the deadlines of the phases that are over were put off.
    stalled: Duration,
    /// Held so that it is removed with this.
    scratch: Option<Scratch>,
}

/// A phase that goes on.
pub(super) struct PhaseState {
    pub(super) phase: Phase,
    /// When it began, in milliseconds since the run began.
    pub(super) started: u64,
    /// The child, while there is one.
    pub(super) running: Option<Running>,
    /// Why it was asked to end, if it was.
    pub(super) stop: Option<Stop>,
    /// What it is busy with, as far as it has said so.
    pub(super) doing: String,
    pub(super) slow: Slow,
    deadline: Deadline,
    due: (Deadline, Due),
    /// Since when it waits for a person, in milliseconds since the run began.
    paused: Option<u64>,
}

/// What is to be done when a deadline passes.
#[derive(Debug, Clone, Copy)]
enum Due {
    /// The phase's time is up.
    Timeout,
    /// The child said how the test ended, and should be gone.
    Linger,
    /// It was asked to end, and did not.
    Kill,
    /// It was killed, or the stage was interrupted; and it is still there.
    GiveUp,
}

/// What is left to do for the dispatcher when a deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// The waits of the stage are to end.
    Interrupt,
    /// Nobody comes back from there.
    GiveUp,
}

impl Current {
    pub(super) fn new(
        test: Arc<PlannedTest>,
        (attempt, worker): (u32, u32),
        results: &Results,
        env: Utf8PathBuf,
        now: u64,
    ) -> Self {
        let mut directory = Results::test_directory(test.number, &test.shortname);
        if attempt > 1 {
            directory = format!("{directory}.{attempt}");
        }
        let places = Places { results: results.dir().join(&directory), scratch: "".into(), env };
        Self {
            test,
            places,
            limits: None,
            phase: None,
            warned: false,
            verdict: None,
            watcher: None,
            judgement: None,
            held: Held::default(),
            attempt,
            worker,
            started: now,
            directory,
            stalled: Duration::ZERO,
            scratch: None,
        }
    }

    /// Makes what the test needs before anything of it runs; says why it cannot be run.
    pub(super) fn set_up(&mut self, results: &Results, settings: &Settings) -> Result<(), String> {
        self.make_directory(results)?;
        self.test.program.as_ref().map_err(String::clone)?;
        let limits = TestLimits::read(&self.test.params, settings);
        self.limits = Some(limits.map_err(|error| error.to_string())?);
        let scratch = Scratch::make(&settings.scratch).map_err(|error| error.to_string())?;
        self.places.scratch =
            scratch.path().ok_or("the scratch directory's path is not UTF-8")?.to_owned();
        self.scratch = Some(scratch);
        Ok(())
    }

    /// Makes the directory for what people are to read.
    pub(super) fn make_directory(&self, results: &Results) -> Result<(), String> {
        results
            .create_test(&self.directory)
            .map_err(|error| format!("cannot make the directory {}: {error}", self.directory))?;
        let params = serde_json::to_vec_pretty(&self.test.params).unwrap_or_default();
        // A loss that the other files of this directory will share, and the reports tell of.
        let _ = std::fs::write(self.places.results.join("params.json"), params);
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

    pub(super) fn begin(&mut self, phase: Phase, running: Option<Running>, now: u64) {
        let Some(limits) = &self.limits else { return };
        let deadline = Deadline::after(limits.timeout(phase)).with_factor(limits.stall_factor);
        self.phase = Some(PhaseState {
            phase,
            started: now,
            running,
            stop: None,
            doing: String::new(),
            slow: Slow::after(limits.timeouts.slow),
            deadline,
            due: (deadline, Due::Timeout),
            paused: None,
        });
    }

    /// From now on the phase waits for a person, and has all the time there is.
    pub(super) fn pause(&mut self, now: u64) {
        if let Some(state) = &mut self.phase {
            state.paused = Some(now);
        }
    }

    /// The phase goes on, as if it had begun now; what a person took is nobody's time.
    pub(super) fn resume(&mut self, now: u64) {
        let paused =
            self.phase.as_mut().and_then(|state| Some((state.phase, state.paused.take()?)));
        let Some((phase, since)) = paused else { return };
        let began = self.phase.as_ref().map_or(now, |state| state.started);
        let away = now.saturating_sub(since);
        self.started += away;
        self.begin(phase, None, began + away);
    }

    /// Ends the phase that goes on; gives it back.
    pub(super) fn end_phase(&mut self) -> Option<PhaseState> {
        let ended = self.phase.take()?;
        self.stalled += ended.deadline.put_off();
        Some(ended)
    }

    /// Cleaning up failed: that fails a test that had passed, and is told of in any other.
    pub(super) fn clean_up_failed(&mut self, late: Option<&Finished>, error: &Error) {
        let Some(verdict) = &mut self.verdict else { return };
        let told = late.map_or(error.message(), |late| late.message.as_str());
        if verdict.outcome.is_failure() {
            if verdict.message.contains(told) {
                // What kept the test from being prepared keeps it from being cleaned up after.
                return;
            }
            let contexts = error.contexts().filter(|_| late.is_none());
            let what = contexts.chain([told]).collect::<Vec<_>>().join(": ");
            verdict.message = format!("{}; cleaning up failed as well: {what}", verdict.message);
        } else if let Some(late) = late {
            *verdict = late.clone();
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
            attempt: self.attempt,
            worker: self.worker,
            directory: self.directory.clone(),
        }
    }

    /// How the test ended so far.
    pub(super) fn outcome(&self) -> Outcome {
        match self.verdict.as_ref().map_or(Outcome::Error, |verdict| verdict.outcome) {
            Outcome::Pass if self.warned => Outcome::Warn,
            other => other,
        }
    }

    pub(super) fn finished_event(&self, now: u64) -> TestFinished {
        let outcome = self.outcome();
        let stalled = self.phase.as_ref().map_or(Duration::ZERO, |phase| phase.deadline.put_off());
        let verdict = self
            .verdict
            .clone()
            .unwrap_or_else(|| Finished::new(Outcome::Error, "the test ended without a verdict"));
        let (cause, findings, kept) = match self.judgement.clone() {
            Some(judgement) => (judgement.cause, judgement.findings, judgement.kept),
            None => (None, Vec::new(), Kept::default()),
        };
        // A check while cleaning up may have failed a test that had passed.
        let cause = match cause {
            None if matches!(outcome, Outcome::Fail | Outcome::Error) => {
                Some((of_clean_up(&verdict), verdict.message.clone()))
            }
            found => found,
        };
        let (cause, cause_shown_by) =
            cause.map_or((None, String::new()), |(cause, shown_by)| (Some(cause), shown_by));
        TestFinished {
            test: self.test.number,
            outcome,
            cause,
            cause_shown_by,
            findings,
            console_tail: kept.console_tail,
            console_log: kept.console_log,
            session_tail: kept.session_tail,
            session_log: kept.session_log,
            command_script: kept.command_script,
            survivors: self.held.survivors.clone(),
            ended: self.held.ended.clone(),
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
            stalled_ms: milliseconds(self.stalled + stalled),
        }
    }
}

impl PhaseState {
    /// When something is to be done about it next.
    pub(super) fn next(&self) -> Duration {
        if self.is_paused() {
            return Duration::MAX;
        }
        self.due.0.remaining().min(self.slow.remaining())
    }

    /// Whether it waits for a person.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Asks it to end; the first reason is the one that counts. Tells whether the stage's waits
    /// are to be interrupted, because there is no child.
    pub(super) fn stop(&mut self, why: Stop, settings: &Settings) -> Action {
        if self.stop.is_some() {
            return Action::Nothing;
        }
        self.stop = Some(why);
        if let Some(running) = &self.running {
            running.terminate();
            self.due = (Deadline::after(settings.grace), Due::Kill);
            return Action::Nothing;
        }
        self.due = (Deadline::after(settings.patience), Due::GiveUp);
        Action::Interrupt
    }

    /// The child has said how the test ended: its process has so much time left.
    pub(super) fn expect_end(&mut self, grace: Duration) {
        if self.stop.is_none() {
            self.due = (self.due.0.at_most(grace), Due::Linger);
        }
    }

    /// Does what is due.
    pub(super) fn check(&mut self, timeout: Duration, settings: &Settings) -> Action {
        if !self.due.0.expired() {
            return Action::Nothing;
        }
        match self.due.1 {
            Due::Timeout => self.stop(Stop::Timeout(timeout), settings),
            Due::Linger => self.stop(Stop::Lingered, settings),
            Due::Kill => {
                if let Some(running) = &self.running {
                    running.kill();
                }
                self.due = (Deadline::after(settings.patience), Due::GiveUp);
                Action::Nothing
            }
            Due::GiveUp => Action::GiveUp,
        }
    }

    /// By how much the deadline of this phase was put off.
    pub(super) fn put_off(&self) -> Duration {
        self.deadline.put_off()
    }
}

/// Why a test failed that nobody judged: it failed before or after anybody could.
fn of_clean_up(verdict: &Finished) -> Cause {
    match verdict.outcome {
        Outcome::Fail => Cause::TestFailed,
        _ => Cause::SetUpFailed,
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
