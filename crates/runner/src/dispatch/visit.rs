//! A person who looks into a machine of a test that failed: one at a time, and meanwhile nothing
//! is started.

use std::sync::mpsc::Sender;
use std::time::Duration;

use kvmtest::Deadline;
use kvmtest::interrupt::Interrupt;

use super::{Dispatcher, Happening};
use crate::cause::Judgement;
use crate::event::{Phase, What};

/// Somebody is to be let into a machine. Its worker waits for the answer.
#[derive(Debug)]
pub struct Visit {
    pub(super) desk: usize,
    pub(super) test: u32,
    pub(super) vm: String,
    /// What is known of the test so far.
    pub(super) judgement: Judgement,
    /// Lets them in; dropped, it keeps them out.
    pub(super) go: Sender<()>,
}

/// Who is inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor {
    desk: usize,
    test: u32,
    /// What the run had left of its time.
    time: Option<Duration>,
}

/// Tells the dispatcher at its end that nobody is inside any more.
pub(super) struct Inside {
    pub(super) desk: usize,
    pub(super) test: u32,
    pub(super) interrupt: Interrupt,
    pub(super) news: Sender<Happening>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        // It has sent the visitor out; what comes now has to be able to wait.
        self.interrupt.clear();
        let _ = self.news.send(Happening::Left { desk: self.desk, test: self.test });
    }
}

impl Dispatcher<'_> {
    pub(super) fn knocks(&mut self, visit: Visit) {
        let ends = self.stopping.is_some_and(super::Stopping::ends_tests);
        if ends || !self.is_at(visit.desk, visit.test, Phase::Clean) {
            return;
        }
        let now = self.reports.milliseconds();
        if let Some(current) = &mut self.desks[visit.desk].current {
            // Nobody hurries a person, and nobody is hurried by one.
            current.pause(now);
        }
        self.visits.push_back(visit);
        self.let_in();
    }

    /// Lets the next one in, if nobody is inside.
    fn let_in(&mut self) {
        while self.inside.is_none()
            && let Some(visit) = self.visits.pop_front()
        {
            let now = self.reports.milliseconds();
            let Visit { desk, test, vm, judgement, go } = visit;
            let Some(current) = &mut self.desks[desk].current else { continue };
            current.verdict = Some(judgement.verdict.clone());
            current.judgement = Some(judgement);
            let mut so_far = current.finished_event(now);
            so_far.known = self.settings.known.of(&current.test, so_far.outcome);
            // The reports have told all they have to tell before anybody is inside.
            self.reports.tell(What::Entered { test, vm, so_far: Box::new(so_far) });
            let time = self.deadline.take().map(Deadline::remaining);
            self.inside = Some(Visitor { desk, test, time });
            if go.send(()).is_err() {
                self.is_left();
            }
        }
    }

    pub(super) fn left(&mut self, desk: usize, test: u32) {
        if self.inside.is_none_or(|inside| (inside.desk, inside.test) != (desk, test)) {
            return;
        }
        self.is_left();
        self.let_in();
        self.assign();
    }

    /// Whoever is inside is sent out, and nobody is let in any more.
    pub(super) fn send_out(&mut self) {
        for visit in std::mem::take(&mut self.visits) {
            self.resume(visit.desk);
        }
        if let Some(inside) = self.inside {
            self.desks[inside.desk].interrupt.request();
        }
    }

    fn is_left(&mut self) {
        let Some(Visitor { desk, test, time }) = self.inside.take() else { return };
        self.deadline = time.map(Deadline::after);
        self.desks[desk].interrupt.clear();
        self.resume(desk);
        self.reports.tell(What::Left { test });
    }

    fn resume(&mut self, desk: usize) {
        let now = self.reports.milliseconds();
        if let Some(current) = &mut self.desks[desk].current {
            current.resume(now);
        }
    }
}
