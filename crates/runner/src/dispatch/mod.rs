//! Runs the tests of a plan: one loop over one closed set of happenings, which owns all state.

mod current;
mod happening;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use kvmtest::test::Note;
use kvmtest::{Deadline, Error, interrupt};

pub use happening::Happening;
pub use worker::Worker;

use crate::abort;
use crate::child::protocol::{ChildEvent, Finished, Request, VERSION};
use crate::child::spawn::{self, Limits, Report};
use crate::child::verdict::{Stop, judge};
use crate::event::{Counts, Phase, What};
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use crate::report::{Reports, Results};
use current::{Current, Due, State};
use worker::{Desk, Order};

/// What holds for all tests of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the tests' scratch directories are made.
    pub scratch: Utf8PathBuf,
    /// What a child may use up.
    pub limits: Limits,
    /// How long a subtest may run that has no `test_timeout`.
    pub timeout: Duration,
    /// How long a child may take to end once it was asked to, before it is killed.
    pub grace: Duration,
}

impl Settings {
    /// The usual settings, with scratch directories made in `scratch`.
    pub fn new(scratch: impl Into<Utf8PathBuf>) -> Self {
        Self {
            scratch: scratch.into(),
            limits: Limits::default(),
            timeout: Duration::from_secs(3600),
            grace: Duration::from_secs(5),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many tests ended how.
    pub counts: Counts,
    /// Whether somebody asked it to stop.
    pub interrupted: bool,
}

/// Runs tests on workers.
pub struct Dispatcher<'a> {
    settings: Settings,
    results: &'a Results,
    reports: &'a mut Reports,
    sender: Sender<Happening>,
    inbox: Receiver<Happening>,
    waiting: std::vec::IntoIter<PlannedTest>,
    desks: Vec<Desk>,
    counts: Counts,
    /// How often somebody asked to stop.
    asked: u32,
    /// Whether a test failed that says `abort_on_error = yes`: nothing is started after it.
    aborted: bool,
}

impl<'a> Dispatcher<'a> {
    /// A dispatcher whose tests leave their things in `results` and are told of in `reports`.
    pub fn new(settings: Settings, results: &'a Results, reports: &'a mut Reports) -> Self {
        let (sender, inbox) = channel();
        Self {
            settings,
            results,
            reports,
            sender,
            inbox,
            waiting: Vec::new().into_iter(),
            desks: Vec::new(),
            counts: Counts::default(),
            asked: 0,
            aborted: false,
        }
    }

    /// Where to send what happens outside: signals.
    pub fn sender(&self) -> Sender<Happening> {
        self.sender.clone()
    }

    /// Runs `tests` in their order, each on the first of `workers` that is free.
    ///
    /// After the first signal nothing is started any more, what runs is asked to end, and is
    /// cleaned up; after the second everything is left at once.
    pub fn run(mut self, tests: Vec<PlannedTest>, workers: Vec<Worker>) -> End {
        self.waiting = tests.into_iter();
        self.desks = workers
            .into_iter()
            .enumerate()
            .map(|(index, worker)| Desk::start(index, worker, self.sender.clone()))
            .collect();
        for desk in 0..self.desks.len() {
            self.next(desk);
        }
        while self.asked < 2 && self.desks.iter().any(|desk| !desk.closed) {
            match self.receive() {
                Some(happening) => self.handle(happening),
                None => self.check_deadlines(),
            }
        }
        for desk in 0..self.desks.len() {
            self.abandon(desk);
        }
        self.counts.not_run = self.waiting.len();
        let end = End { counts: self.counts, interrupted: self.asked > 0 };
        self.reports.tell(What::RunFinished {
            counts: end.counts,
            duration_ms: self.reports.milliseconds(),
            interrupted: end.interrupted,
        });
        end
    }

    /// The next happening, or nothing when a deadline has passed.
    fn receive(&self) -> Option<Happening> {
        let deadline = self.currents().filter_map(Current::deadline).min();
        // With a sender of its own the inbox is never closed.
        match deadline {
            None => self.inbox.recv().ok(),
            Some(deadline) => self.inbox.recv_timeout(deadline.remaining()).ok(),
        }
    }

    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::Signal => self.asked_to_stop(),
            Happening::Noted { desk, test, note } => self.note(desk, test, note),
            Happening::Prepared { desk, test, result } => {
                if let Some(current) = self.current(desk, test) {
                    let started = current.phase_started;
                    self.end_phase(test, Phase::Prepare, started, error_text(&result));
                    self.prepared(desk, result);
                }
            }
            Happening::Child { desk, test, report } => {
                if self.current(desk, test).is_some() {
                    self.child_reported(desk, report);
                }
            }
            Happening::Cleaned { desk, test, result } => {
                if let Some(current) = self.current(desk, test) {
                    let started = current.phase_started;
                    self.end_phase(test, Phase::Clean, started, error_text(&result));
                    self.cleaned(desk, result);
                }
            }
            Happening::Closed { desk, result } => {
                self.desks[desk].closed = true;
                match result {
                    Ok(warnings) => warnings.into_iter().for_each(|message| self.remark(message)),
                    Err(error) => self.remark(format!("cleaning up after the run: {error}")),
                }
            }
        }
    }

    /// Gives a desk its next test, or lets it close.
    fn next(&mut self, desk: usize) {
        while self.asked == 0 && !self.aborted {
            let Some(test) = self.waiting.next() else { break };
            if self.start(desk, Arc::new(test)) {
                return;
            }
        }
        self.desks[desk].order(Order::Close);
    }

    /// Starts a test; tells whether it occupies the desk now.
    fn start(&mut self, desk: usize, test: Arc<PlannedTest>) -> bool {
        let env = self.desks[desk].env.clone();
        let now = self.reports.milliseconds();
        let mut current = Current::new(test, self.results, env, now);
        self.reports.tell(What::TestStarted(current.started_event()));
        match current.set_up(self.results, &self.settings) {
            Ok(()) => {
                self.reports
                    .tell(What::PhaseStarted { test: current.test.number, phase: Phase::Prepare });
                let order = Order::Prepare(current.test.clone(), current.places.clone());
                self.desks[desk].current = Some(current);
                self.desks[desk].order(order);
                true
            }
            Err(why) => {
                current.verdict = Some(Finished::new(Outcome::Error, why));
                self.finish(current);
                false
            }
        }
    }

    fn prepared(&mut self, desk: usize, result: kvmtest::Result<()>) {
        // The interrupt has done its work: cleaning up has to be able to wait.
        interrupt::clear();
        match result {
            Err(error) => {
                let outcome = Outcome::of_preparation(error.kind());
                self.clean(desk, Finished::of_error(outcome, &error).within("preparing"));
            }
            Ok(()) if self.asked > 0 => {
                self.clean(desk, Finished::new(Outcome::Interrupted, "interrupted"));
            }
            Ok(()) => self.start_child(desk),
        }
    }

    fn start_child(&mut self, desk: usize) {
        let sender = self.sender.clone();
        let now = self.reports.milliseconds();
        let Some(current) = &mut self.desks[desk].current else { return };
        let test = current.test.number;
        let request = Request {
            version: VERSION,
            parent: std::process::id(),
            subtest: current.test.subtest.clone(),
            identity: current.identity(),
            env: current.places.env.clone(),
            params: current.test.params.clone(),
        };
        let started = match &current.test.program {
            Ok(program) => spawn::start(program, &request, self.settings.limits, move |report| {
                // Nobody listens any more: the run was left.
                let _ = sender.send(Happening::Child { desk, test, report });
            })
            .map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        current.phase_started = now;
        match started {
            Ok(running) => {
                let deadline = Deadline::after(current.timeout);
                current.state =
                    State::Running { running, due: (deadline, Due::Timeout), stop: None };
                self.reports.tell(What::PhaseStarted { test, phase: Phase::Run });
            }
            Err(why) => self.clean(desk, Finished::new(Outcome::Error, why)),
        }
    }

    fn child_reported(&mut self, desk: usize, report: Report) {
        let grace = self.settings.grace;
        let Some(current) = &mut self.desks[desk].current else { return };
        let test = current.test.number;
        match report {
            Report::Event(ChildEvent::Note { note }) => self.note(desk, test, note),
            Report::Event(_) => {}
            Report::Finished => current.expect_end(grace),
            Report::Breached => current.stop(Stop::Breached, grace),
            Report::Ended(ending) => {
                let stop = current.stop_reason();
                let started = current.phase_started;
                let verdict = judge(*ending, stop);
                let error = verdict.outcome.is_failure().then(|| verdict.message.clone());
                self.end_phase(test, Phase::Run, started, error);
                self.clean(desk, verdict);
            }
        }
    }

    /// Notes how the test ended and lets the stage clean up after it.
    fn clean(&mut self, desk: usize, verdict: Finished) {
        let now = self.reports.milliseconds();
        let Some(current) = &mut self.desks[desk].current else { return };
        let failed = verdict.outcome.is_failure();
        current.verdict = Some(verdict);
        current.state = State::Cleaning;
        current.phase_started = now;
        let number = current.test.number;
        let order = Order::Clean(current.test.clone(), current.places.clone(), failed);
        self.reports.tell(What::PhaseStarted { test: number, phase: Phase::Clean });
        self.desks[desk].order(order);
    }

    fn cleaned(&mut self, desk: usize, result: kvmtest::Result<Vec<String>>) {
        let Some(mut current) = self.desks[desk].current.take() else { return };
        match result {
            Ok(warnings) => {
                for message in warnings {
                    current.warned = true;
                    let note = Note::Warning { message };
                    self.reports.tell(What::Note { test: current.test.number, note });
                }
            }
            Err(error) => current.clean_up_failed(&error),
        }
        self.finish(current);
        self.next(desk);
    }

    fn finish(&mut self, current: Current) {
        let test = current.test.clone();
        let finished = current.finished_event(self.reports.milliseconds());
        let outcome = finished.outcome;
        self.counts.add(outcome);
        self.reports.tell(What::TestFinished(finished));
        if abort::wanted(&test, outcome) && !self.aborted {
            self.aborted = true;
            self.remark(abort::remark(&test));
        }
    }

    fn check_deadlines(&mut self) {
        let grace = self.settings.grace;
        for desk in 0..self.desks.len() {
            let Some(current) = &mut self.desks[desk].current else { continue };
            if current.check_deadline(grace) {
                let message = "its process is still there after SIGKILL";
                let verdict = Finished::new(Outcome::Error, message);
                let (test, started) = (current.test.number, current.phase_started);
                self.end_phase(test, Phase::Run, started, Some(message.into()));
                self.clean(desk, verdict);
            }
        }
    }

    fn asked_to_stop(&mut self) {
        self.asked += 1;
        if self.asked > 1 {
            self.remark("interrupted again: leaving at once".into());
            // Whatever the stages wait for, they are not to wait any longer.
            interrupt::request();
            return;
        }
        self.remark("interrupted: cleaning up (interrupt again to leave at once)".into());
        let grace = self.settings.grace;
        for current in self.desks.iter_mut().filter_map(|desk| desk.current.as_mut()) {
            match current.state {
                State::Preparing => interrupt::request(),
                State::Running { .. } => current.stop(Stop::Interrupted, grace),
                State::Cleaning => {}
            }
        }
    }

    /// The test that is left where it stands when the run is left at once.
    fn abandon(&mut self, desk: usize) {
        let Some(mut current) = self.desks[desk].current.take() else { return };
        if let State::Running { running, .. } = &current.state {
            running.kill();
        }
        current.verdict.get_or_insert_with(|| Finished::new(Outcome::Interrupted, "interrupted"));
        self.finish(current);
    }

    fn end_phase(&mut self, test: u32, phase: Phase, started: u64, error: Option<String>) {
        let duration_ms = self.reports.milliseconds().saturating_sub(started);
        self.reports.tell(What::PhaseEnded { test, phase, duration_ms, error });
    }

    fn note(&mut self, desk: usize, test: u32, note: Note) {
        let current = self.desks[desk].current.as_mut();
        if let Some(current) = current.filter(|current| current.test.number == test) {
            current.warned |= matches!(note, Note::Warning { .. });
            self.reports.tell(What::Note { test, note });
        }
    }

    fn remark(&mut self, message: String) {
        self.reports.tell(What::Remark { message });
    }

    fn currents(&self) -> impl Iterator<Item = &Current> {
        self.desks.iter().filter_map(|desk| desk.current.as_ref())
    }

    /// What a desk is at, if that is test `number`: news of a test that was given up is no news.
    fn current(&self, desk: usize, number: u32) -> Option<&Current> {
        self.desks[desk].current.as_ref().filter(|current| current.test.number == number)
    }
}

fn error_text<T>(result: &Result<T, Error>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}
