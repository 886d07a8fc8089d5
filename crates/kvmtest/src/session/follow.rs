//! Conversations whose other side moves: a machine that goes on in another QEMU.

use std::sync::Arc;

use super::expect::Expect;
use super::gate::{Gate, Inside};
use super::pump::Filled;
use crate::deadline::Deadline;
use crate::error::Result;

/// Knows where a conversation goes on.
pub(crate) trait Follow: Send {
    /// Whether the other side is no longer where it was; asked before anything is sent, so it
    /// must be cheap.
    fn has_moved(&self) -> bool;

    /// Where whoever sends something goes through, if it may be held back: it is while the other
    /// side goes over to where this follows it.
    fn gate(&self) -> Option<&Arc<Gate>> {
        None
    }

    /// Where whoever reads goes through: what the side that was left still says, the other one says
    /// as well.
    fn output_gate(&self) -> Option<&Arc<Gate>> {
        None
    }

    /// Nobody listens any more: what is kept of the connection goes.
    fn close(&self) {}

    /// A conversation with where the other side went next, if it goes on there in the middle of
    /// things: its channel and its watches take the place of the old ones. When this fails, it can
    /// be asked again.
    fn follow(&mut self, deadline: Deadline) -> Result<Option<Expect>> {
        let _ = deadline;
        Ok(None)
    }

    /// A conversation that was begun anew where the other side is now, if nothing goes on there by
    /// itself; it may know itself how to follow on. Asked first, and only where something is about
    /// to be sent.
    fn begin_anew(&mut self, deadline: Deadline) -> Result<Option<Expect>> {
        let _ = deadline;
        Ok(None)
    }
}

impl Expect {
    /// Has the conversation go on where `follow` says when its other side has moved.
    pub(crate) fn set_follow(&mut self, follow: Box<dyn Follow>) {
        self.follow = Some(follow);
    }

    /// To be held while something is sent, where the other side may go somewhere else; nothing
    /// where it has been on its way until the deadline.
    pub(super) fn enter(&self, deadline: Deadline) -> Result<Option<Entered>> {
        Entered::by(self.follow.as_ref().and_then(|follow| follow.gate()), deadline)
    }

    /// The same while something is read.
    pub(super) fn enter_output(&self, deadline: Deadline) -> Result<Option<Entered>> {
        Entered::by(self.follow.as_ref().and_then(|follow| follow.output_gate()), deadline)
    }

    /// Before something is sent: to whom it will get.
    pub(super) fn look_where_to(&mut self, deadline: Deadline) -> Result<()> {
        // It may have moved several times.
        while self.follow.as_ref().is_some_and(|follow| follow.has_moved()) {
            // Whoever brings it elsewhere may not be through.
            let _entered = self.enter(deadline)?;
            if self.begins_anew(deadline)? {
                // What the old shell said last is none of the new one's.
                self.take_all();
            } else if !self.goes_on(deadline)? {
                break;
            }
        }
        Ok(())
    }

    /// In the middle of something, when the connection or the process at its other end is gone:
    /// whether the other side has moved, and all that it said before was read.
    ///
    /// The one ends a moment before the other, so neither is asked whether it was the other's.
    pub(super) fn goes_on(&mut self, deadline: Deadline) -> Result<bool> {
        self.go(|follow| follow.follow(deadline))
    }

    fn begins_anew(&mut self, deadline: Deadline) -> Result<bool> {
        self.go(|follow| follow.begin_anew(deadline))
    }

    fn go(&mut self, way: impl FnOnce(&mut dyn Follow) -> Result<Option<Self>>) -> Result<bool> {
        let Some(mut follow) = self.follow.take() else { return Ok(false) };
        let next = way(&mut *follow);
        self.follow = Some(follow);
        let Some(mut next) = next.map_err(|error| self.with_output(error))? else {
            return Ok(false);
        };
        // Whoever it was is gone: there is an end to this.
        while self.ended.is_none() && !matches!(self.drain(), Ok(Filled::Late) | Err(_)) {
            if self.past_patience() {
                break;
            }
        }
        tracing::debug!(session = self.name, "goes on where the machine is now");
        self.channel = std::mem::replace(&mut next.channel, super::channel::Channel::Closed);
        self.watches = next.take_watches();
        if let Some(follow) = next.follow.take() {
            self.follow = Some(follow);
        }
        self.ended = None;
        self.verdict = None;
        Ok(true)
    }

    /// A flood that nobody has read yet is read on the way; not for ever.
    fn past_patience(&self) -> bool {
        self.buffer.unread().len() > super::BUFFER_LIMIT
    }
}

/// Whoever holds this may send, or read.
pub(super) struct Entered {
    _inside: Option<Inside>,
}

impl Entered {
    /// Where there is no gate, at once.
    fn by(gate: Option<&Arc<Gate>>, deadline: Deadline) -> Result<Option<Self>> {
        let Some(gate) = gate else { return Ok(Some(Self { _inside: None })) };
        let inside = gate.enter(deadline)?;
        Ok(inside.map(|inside| Self { _inside: Some(inside) }))
    }
}
