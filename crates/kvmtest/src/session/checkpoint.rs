//! Places where whatever is behind a session may be changed.

use super::shell::Session;
use crate::error::Result;

/// Something that happens between two commands of a session.
pub(crate) trait Checkpoint: Send {
    /// Called before each command; an error is that of the command.
    fn pass(&mut self, command: &str) -> Result<()>;
}

impl Session {
    /// Has `checkpoint` passed before each command.
    pub(crate) fn set_checkpoint(&mut self, checkpoint: Box<dyn Checkpoint>) {
        self.checkpoint = Some(checkpoint);
    }

    /// Before `command`.
    pub(super) fn pass_checkpoint(&mut self, command: &str) -> Result<()> {
        self.checkpoint.as_mut().map_or(Ok(()), |checkpoint| checkpoint.pass(command))
    }
}
