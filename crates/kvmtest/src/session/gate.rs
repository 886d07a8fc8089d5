//! Input is held back while the other side of a conversation goes somewhere else.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::wait;

/// How often whoever waits looks whether he is interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// Lets those through who send something, unless it is closed.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many are sending something.
    inside: usize,
    /// How many times it was closed, and by whom: who moves the other side may talk to it still.
    closed: usize,
    by: Option<ThreadId>,
}

impl Gate {
    /// Closes it, and waits until nobody is inside, but no longer than the deadline.
    pub(crate) fn close(self: &Arc<Self>, deadline: Deadline) -> Closed {
        let mut state = self.state();
        state.closed += 1;
        state.by = Some(std::thread::current().id());
        while state.inside > 0 && !deadline.expired() {
            state = self.wait(state, deadline.remaining());
        }
        Closed(Arc::clone(self))
    }

    /// Goes in as soon as it is open; nothing if it is closed when the deadline passes.
    pub(crate) fn enter(self: &Arc<Self>, deadline: Deadline) -> Result<Option<Inside>> {
        let own = std::thread::current().id();
        let mut state = self.state();
        while state.closed > 0 && state.by != Some(own) {
            if deadline.expired() {
                return Ok(None);
            }
            state = self.wait(state, deadline.remaining().min(LOOK));
            wait::ready_flags(&[], Deadline::after(Duration::ZERO))?;
        }
        state.inside += 1;
        Ok(Some(Inside(Arc::clone(self))))
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let (state, _) =
            self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner);
        state
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gate is closed until this is dropped.
#[must_use = "it is open when this is dropped"]
pub(crate) struct Closed(Arc<Gate>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.change(|state| state.closed -= 1);
    }
}

/// Somebody is inside until this is dropped.
#[must_use = "nobody is inside when this is dropped"]
pub(crate) struct Inside(Arc<Gate>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.change(|state| state.inside -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late() -> Deadline {
        Deadline::after(Duration::from_secs(60))
    }

    #[test]
    fn nobody_is_inside_while_it_is_closed() {
        let gate = Arc::new(Gate::default());
        let inside = gate.enter(late()).expect("no interrupt").expect("open");
        std::thread::scope(|scope| {
            let closing = scope.spawn(|| gate.close(late()));
            while gate.state().closed == 0 {
                std::thread::yield_now();
            }
            assert!(!closing.is_finished(), "somebody is inside");
            let soon = Deadline::after(Duration::from_millis(20));
            assert!(gate.enter(soon).expect("no interrupt").is_none());
            drop(inside);
            let closed = closing.join().expect("no panic");
            let entering = scope.spawn(|| gate.enter(late()));
            std::thread::yield_now();
            assert!(!entering.is_finished());
            drop(closed);
            assert!(entering.join().expect("no panic").expect("no interrupt").is_some());
        });
        assert_eq!(gate.state().inside, 0);
    }

    #[test]
    fn who_closed_it_goes_through() {
        let gate = Arc::new(Gate::default());
        let _closed = gate.close(late());
        let soon = Deadline::after(Duration::ZERO);
        assert!(gate.enter(soon).expect("no interrupt").is_some());
    }

    #[test]
    fn who_stays_inside_keeps_nobody_for_ever() {
        let gate = Arc::new(Gate::default());
        let _inside = gate.enter(late()).expect("no interrupt").expect("open");
        drop(gate.close(Deadline::after(Duration::from_millis(10))));
    }
}
