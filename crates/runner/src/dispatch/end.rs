//! The end of a run before its time: signals, its time, too many failures.

use std::time::Duration;

use kvmtest::{Deadline, interrupt};

use super::current::Action;
use super::{Dispatcher, Happening};
use crate::abort;
use crate::child::protocol::Finished;
use crate::child::spawn::Report;
use crate::child::verdict::{Stop, judge};
use crate::event::Phase;
use crate::outcome::Outcome;
use crate::plan::PlannedTest;

/// Why nothing is started any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopping {
    /// Somebody asked.
    Asked,
    /// The run had so much time, and so much more because the host was starved.
    TimeUp(Duration, Duration),
    /// So many tests failed, or one after which nothing is to run.
    Failures,
}

/// How long a child that was killed may take to be gone, when all is left at once.
const LAST: Duration = Duration::from_secs(5);

impl Stopping {
    /// Whether the tests that run are to end, too.
    pub(super) fn ends_tests(self) -> bool {
        self.stop().is_some()
    }

    pub(super) fn words(self) -> String {
        self.stop().map_or_else(String::new, |stop| stop.to_string())
    }

    fn stop(self) -> Option<Stop> {
        match self {
            Self::Asked => Some(Stop::Interrupted),
            Self::TimeUp(limit, more) => Some(Stop::TimeUp(limit, more)),
            Self::Failures => None,
        }
    }
}

impl Dispatcher<'_> {
    pub(super) fn asked_to_stop(&mut self) {
        self.asked += 1;
        if self.asked > 1 {
            self.remark("interrupted again: leaving at once".into());
            // Whatever the stages wait for, they are not to wait any longer.
            interrupt::request();
            return;
        }
        self.remark("interrupted: cleaning up (interrupt again to leave at once)".into());
        self.stop(Stopping::Asked);
    }

    pub(super) fn check_run_time(&mut self) {
        let passed = self.deadline.filter(|deadline| deadline.expired());
        if let (Some(deadline), None, Some(limit)) =
            (passed, self.stopping, self.settings.run_timeout)
        {
            let stopping = Stopping::TimeUp(limit, deadline.put_off());
            self.remark(format!("{}: cleaning up", stopping.words()));
            self.stop(stopping);
        }
    }

    /// Whether anything is to be started after this end of a test.
    /// `known`: the failure is expected, and stops nothing.
    pub(super) fn check_failures(&mut self, test: &PlannedTest, outcome: Outcome, known: bool) {
        if self.stopping.is_none() && !known && abort::wanted(test, outcome) {
            self.starts_no_more(abort::remark(test));
        }
        let Some(most) = self.settings.max_failures else { return };
        let failures = self.counts.failures();
        if self.stopping.is_none() && failures >= most {
            let noun = if failures == 1 { "test has" } else { "tests have" };
            self.starts_no_more(format!("{failures} {noun} failed: starting no more"));
        }
    }

    /// Starts nothing any more. Where nothing would have been, nobody wants to read of it.
    fn starts_no_more(&mut self, remark: String) {
        self.stopping = Some(Stopping::Failures);
        if self.queue.not_run() + self.again > 0 {
            self.remark(remark);
        }
    }

    /// Starts nothing any more, and ends what runs. What is being cleaned up goes on.
    fn stop(&mut self, why: Stopping) {
        self.stopping = Some(why);
        let Some(stop) = why.stop() else { return };
        self.send_out();
        for desk in &mut self.desks {
            let state = desk.current.as_mut().and_then(|current| current.phase.as_mut());
            if let Some(state) = state.filter(|state| state.phase != Phase::Clean)
                && state.stop(stop, &self.settings) == Action::Interrupt
            {
                desk.interrupt.request();
            }
        }
        self.assign();
    }

    /// Ends what still runs when the run is left at once, or all workers are lost.
    pub(super) fn abandon(&mut self) {
        let running = |dispatcher: &Self, desk: usize| {
            let current = dispatcher.desks[desk].current.as_ref();
            current.is_some_and(|current| {
                current.phase.as_ref().is_some_and(|state| state.running.is_some())
            })
        };
        for desk in &self.desks {
            let state = desk.current.as_ref().and_then(|current| current.phase.as_ref());
            if let Some(child) = state.and_then(|state| state.running.as_ref()) {
                child.kill();
            }
        }
        // A child that outlived this process would be nobody's.
        let deadline = Deadline::after(LAST);
        while (0..self.desks.len()).any(|desk| running(self, desk)) {
            match self.inbox.recv_timeout(deadline.remaining()) {
                Ok(Happening::Child { desk, test, report: Report::Ended(ending) }) => {
                    if self.is_at(desk, test, Phase::Run)
                        && let Some(current) = &mut self.desks[desk].current
                    {
                        current.end_phase();
                        current.verdict = Some(judge(*ending, Some(Stop::Interrupted)));
                    }
                }
                Err(_) if deadline.expired() => break,
                _ => {}
            }
        }
        for desk in 0..self.desks.len() {
            if let Some(mut current) = self.desks[desk].current.take() {
                let verdict = || Finished::new(Outcome::Interrupted, "interrupted");
                current.verdict.get_or_insert_with(verdict);
                self.finish(current);
            }
        }
    }
}
