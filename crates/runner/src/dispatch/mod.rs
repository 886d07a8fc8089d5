//! Runs the tests of a plan: one loop over one closed set of happenings, which owns all state.

mod current;
mod end;
mod happening;
mod leaving;
mod limits;
mod phases;
mod place;
mod settings;
mod slow;
mod visit;
mod worker;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use kvmtest::test::Note;
use kvmtest::{Deadline, Error};

pub use happening::Happening;
pub use settings::{End, Settings, Timeouts};
pub use visit::Visit;
pub use worker::Worker;

use crate::child::protocol::Finished;
use crate::event::{Counts, Phase, TestFinished, What};
use crate::outcome::Outcome;
use crate::plan::PlannedTest;
use crate::queue::{Ended, Next, Queue, Rules};
use crate::report::{Reports, Results};
use current::Current;
use end::Stopping;
use visit::Visitor;
use worker::{Desk, DeskState, Order};

/// Runs tests on workers.
pub struct Dispatcher<'a> {
    settings: Settings,
    results: &'a Results,
    reports: &'a mut Reports,
    sender: Sender<Happening>,
    inbox: Receiver<Happening>,
    queue: Queue,
    desks: Vec<Desk>,
    counts: Counts,
    /// How each test ended that is over.
    outcomes: Vec<(u32, Outcome)>,
    /// How many tests wait for another try.
    again: usize,
    /// By when the whole run must have ended.
    deadline: Option<Deadline>,
    /// Why nothing is started any more.
    stopping: Option<Stopping>,
    /// How often somebody asked to stop.
    asked: u32,
    /// Who is in a machine of a test that failed.
    inside: Option<Visitor>,
    /// Who waits until nobody is.
    visits: VecDeque<Visit>,
}

impl<'a> Dispatcher<'a> {
    /// A dispatcher whose tests leave their things in `results` and are told of in `reports`.
    pub fn new(settings: Settings, results: &'a Results, reports: &'a mut Reports) -> Self {
        let (sender, inbox) = channel();
        Self {
            queue: Queue::new(Vec::new(), rules(&settings, 0)),
            deadline: settings.run_timeout.map(Deadline::after),
            settings,
            results,
            reports,
            sender,
            inbox,
            desks: Vec::new(),
            counts: Counts::default(),
            outcomes: Vec::new(),
            again: 0,
            stopping: None,
            asked: 0,
            inside: None,
            visits: VecDeque::new(),
        }
    }

    /// Where to send what happens outside: signals.
    pub fn sender(&self) -> Sender<Happening> {
        self.sender.clone()
    }

    /// Runs `tests`, as many at one time as there are `workers`, in the order that the
    /// [queue](crate::queue) finds.
    ///
    /// After the first signal nothing is started any more, what runs is asked to end, and is
    /// cleaned up; after the second everything is left at once.
    pub fn run(mut self, tests: Vec<PlannedTest>, workers: Vec<Worker>) -> End {
        self.queue = Queue::new(tests, rules(&self.settings, workers.len()));
        self.desks = workers
            .into_iter()
            .enumerate()
            .map(|(index, worker)| {
                Desk::start(index, worker, self.settings.on_fail.clone(), self.sender.clone())
            })
            .collect();
        self.assign();
        while self.asked < 2 && self.desks.iter().any(|desk| !desk.is_closed()) {
            match self.receive() {
                Some(happening) => self.handle(happening),
                None => self.check_deadlines(),
            }
        }
        self.abandon();
        self.counts.not_run = self.queue.not_run() + self.again;
        let stopped = matches!(self.stopping, Some(Stopping::Asked | Stopping::TimeUp(..)));
        let unmet = self.settings.known.unmet(self.outcomes.iter().copied());
        let end = End { counts: self.counts, interrupted: stopped, unmet: unmet.len() };
        for message in unmet {
            self.remark(message);
        }
        self.reports.tell(What::RunFinished {
            counts: end.counts,
            duration_ms: self.reports.milliseconds(),
            interrupted: end.interrupted,
        });
        end
    }

    /// The next happening, or nothing when something is to be done without one.
    fn receive(&self) -> Option<Happening> {
        let phases = self.desks.iter().filter_map(|desk| desk.current.as_ref()?.phase.as_ref());
        let closing = self.desks.iter().filter_map(|desk| match desk.state {
            DeskState::Closing(time) | DeskState::Clearing(time) => Some(time.deadline.remaining()),
            DeskState::Open | DeskState::Closed => None,
        });
        let run = self.deadline.filter(|_| self.stopping.is_none()).map(Deadline::remaining);
        match phases.map(current::PhaseState::next).chain(closing).chain(run).min() {
            // With a sender of its own the inbox is never closed.
            None => self.inbox.recv().ok(),
            Some(pause) => self.inbox.recv_timeout(pause).ok(),
        }
    }

    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::Signal => self.asked_to_stop(),
            Happening::Noted { desk, test, note } => self.note(desk, test, note),
            Happening::Prepared { desk, test, result } => {
                if self.is_at(desk, test, Phase::Prepare) {
                    self.prepared(desk, result);
                }
            }
            Happening::Doing { desk, what } => self.note_doing(desk, &what),
            Happening::Child { desk, test, report } => {
                if self.is_at(desk, test, Phase::Run) {
                    self.child_reported(desk, report);
                }
            }
            Happening::Found { desk, test, finding } => {
                if self.is_at(desk, test, Phase::Run) {
                    self.found(desk, &finding);
                }
            }
            Happening::Knocks(visit) => self.knocks(*visit),
            Happening::Left { desk, test } => self.left(desk, test),
            Happening::Cleaned { desk, test, judged, result } => {
                if self.is_at(desk, test, Phase::Clean) {
                    self.judged(desk, *judged);
                    self.cleaned(desk, result);
                }
            }
            Happening::Cleared { desk, result } => self.cleared(desk, result),
            Happening::Closed { desk, result } => self.closed(desk, result),
        }
    }

    /// Gives each desk that is free its next test. They close together: until then what a worker
    /// keeps may have to make room.
    fn assign(&mut self) {
        for desk in 0..self.desks.len() {
            while self.desks[desk].is_idle() && self.stopping.is_none() && self.inside.is_none() {
                match self.queue.next(desk) {
                    Next::Run { test, attempt } => self.start(desk, test, attempt),
                    Next::Skip { test, reason } => self.skip(desk, test, reason),
                    Next::Clear { workers } => self.clear(workers),
                    Next::Wait | Next::Over => break,
                }
            }
        }
        let clears = |desk: &Desk| matches!(desk.state, DeskState::Clearing(_));
        let busy = self.desks.iter().any(|desk| desk.current.is_some() || clears(desk));
        if busy && self.stopping.is_none() {
            return;
        }
        // Nothing is to be started, or nothing ends any more that anybody could wait for.
        for desk in 0..self.desks.len() {
            if self.desks[desk].is_idle() {
                self.close(desk);
            }
        }
    }

    fn close(&mut self, desk: usize) {
        self.desks[desk].close(Deadline::after(self.settings.timeouts.clean));
    }

    fn start(&mut self, desk: usize, test: Arc<PlannedTest>, attempt: u32) {
        if attempt > 1 {
            self.again = self.again.saturating_sub(1);
        }
        let mut current = self.announce(desk, test, attempt);
        match current.set_up(self.results, &self.settings) {
            Ok(()) => {
                let order = Order::Prepare(current.test.clone(), current.places.clone());
                self.desks[desk].current = Some(current);
                self.begin(desk, Phase::Prepare, None);
                self.desks[desk].order(order);
            }
            Err(why) => {
                current.verdict = Some(Finished::new(Outcome::Error, why));
                self.finish(current);
            }
        }
    }

    fn skip(&mut self, desk: usize, test: Arc<PlannedTest>, reason: String) {
        let mut current = self.announce(desk, test, 1);
        // Where not even a directory can be made, the reports tell of it.
        let _ = current.make_directory(self.results);
        current.verdict = Some(Finished::new(Outcome::Skip, reason));
        let finished = current.finished_event(self.reports.milliseconds());
        self.counts.add(finished.outcome);
        self.reports.tell(What::TestFinished(finished));
    }

    fn announce(&mut self, desk: usize, test: Arc<PlannedTest>, attempt: u32) -> Current {
        let env = self.desks[desk].env.clone();
        let worker = u32::try_from(desk + 1).unwrap_or(u32::MAX);
        let now = self.reports.milliseconds();
        let current = Current::new(test, (attempt, worker), self.results, env, now);
        self.reports.tell(What::TestStarted(current.started_event()));
        current
    }

    /// A try is over; the queue says what that means.
    fn finish(&mut self, current: Current) {
        let test = current.test.clone();
        let ended = self.queue.finished(test.number, current.outcome());
        let mut finished = current.finished_event(self.reports.milliseconds());
        let outcome = finished.outcome;
        match ended {
            // There will be no other try.
            Ended::Again if self.stopping.is_some() => self.count(&test, &mut finished),
            Ended::Again => {
                self.again += 1;
                finished.retried = true;
            }
            Ended::Final { flaky } => {
                self.count(&test, &mut finished);
                self.counts.flaky += usize::from(flaky);
                finished.flaky = flaky;
            }
        }
        let (counts, known) = (!finished.retried, finished.known.is_some());
        self.reports.tell(What::TestFinished(finished));
        if counts {
            self.check_failures(&test, outcome, known);
        }
    }

    /// Counts a try that counts; a failure that is expected for itself.
    fn count(&mut self, test: &PlannedTest, finished: &mut TestFinished) {
        self.outcomes.push((finished.test, finished.outcome));
        finished.known = self.settings.known.of(test, finished.outcome);
        match finished.known {
            Some(_) => self.counts.known += 1,
            None => self.counts.add(finished.outcome),
        }
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

    /// Whether a desk is at this phase of test `number`: news of what was given up is no news.
    fn is_at(&self, desk: usize, number: u32, phase: Phase) -> bool {
        self.desks[desk].current.as_ref().is_some_and(|current| {
            current.test.number == number
                && current.phase.as_ref().is_some_and(|state| state.phase == phase)
        })
    }
}

fn rules(settings: &Settings, workers: usize) -> Rules {
    Rules {
        workers,
        capacity: settings.capacity,
        retries: settings.retries,
        repeat_until_fail: settings.repeat_until_fail,
    }
}

fn error_text<T>(result: &Result<T, Error>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}
