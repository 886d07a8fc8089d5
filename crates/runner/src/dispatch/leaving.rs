//! What a worker does between tests: it ends machines that stand in the way, or finishes.

use kvmtest::{Deadline, Result};

use super::Dispatcher;
use super::worker::{DeskState, Order, Patience};

impl Dispatcher<'_> {
    /// Lets workers that are at no test end their machines.
    pub(super) fn clear(&mut self, desks: Vec<usize>) {
        for desk in desks {
            if self.desks[desk].is_idle() {
                let deadline = Deadline::after(self.settings.timeouts.clean);
                self.desks[desk].state = DeskState::Clearing(Patience { deadline, asked: false });
                self.desks[desk].order(Order::Clear);
            } else {
                // It was given up: what it holds is left to the guards.
                self.queue.cleared(desk);
            }
        }
    }

    pub(super) fn cleared(&mut self, desk: usize, result: Result<Vec<String>>) {
        if !matches!(self.desks[desk].state, DeskState::Clearing(_)) {
            return;
        }
        self.desks[desk].interrupt.clear();
        self.desks[desk].state = DeskState::Open;
        match result {
            Ok(ended) => {
                for name in ended {
                    let why = "another test needs its memory";
                    self.remark(format!(
                        "ended the idle VM `{name}` of worker {}: {why}",
                        desk + 1
                    ));
                }
            }
            Err(error) => {
                self.remark(format!("ending the machines of worker {}: {error}", desk + 1));
            }
        }
        self.queue.cleared(desk);
        self.assign();
    }

    pub(super) fn closed(&mut self, desk: usize, result: Result<Vec<String>>) {
        if self.desks[desk].is_closed() {
            return;
        }
        self.desks[desk].state = DeskState::Closed;
        match result {
            Ok(warnings) => warnings.into_iter().for_each(|message| self.remark(message)),
            Err(error) => self.remark(format!("cleaning up after the run: {error}")),
        }
    }

    pub(super) fn check_leaving(&mut self, desk: usize) {
        let patience = self.settings.patience;
        let state = &mut self.desks[desk];
        let (DeskState::Closing(time) | DeskState::Clearing(time)) = &mut state.state else {
            return;
        };
        if !time.deadline.expired() {
            return;
        }
        if !time.asked {
            *time = Patience { deadline: Deadline::after(patience), asked: true };
            state.interrupt.request();
            return;
        }
        let was_clearing = matches!(state.state, DeskState::Clearing(_));
        state.state = DeskState::Closed;
        let number = desk + 1;
        self.remark(format!("worker {number} does not end: what it holds is left to the guards"));
        if was_clearing {
            self.queue.cleared(desk);
            self.assign();
        }
    }
}
