//! What else ends a wait: the death of QEMU, a panic of the guest.

use std::os::fd::BorrowedFd;

use rustix::event::PollFlags;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::wait;

/// Something that is looked at in every wait of a session, so that a wait ends at once and with
/// the true cause, instead of at its deadline.
pub trait Watch: Send {
    /// The descriptor that becomes readable when there is something to look at.
    fn fd(&self) -> BorrowedFd<'_>;

    /// Called when the descriptor is readable; an error ends the wait. When there is nothing
    /// wrong, it has to take away what made the descriptor readable, or the wait will spin.
    fn check(&mut self) -> Result<()>;

    /// Whether it may know why the other side has ended; then it is given a moment to say so.
    fn knows_endings(&self) -> bool {
        true
    }

    /// Called with what is about to be sent.
    fn sent(&mut self, bytes: &[u8]) {
        let _ = bytes;
    }
}

/// Lets time pass until `deadline`, unless one of `watches` has something to say.
pub fn rest(watches: &mut [Box<dyn Watch>], deadline: impl Into<Deadline>) -> Result<()> {
    let deadline = deadline.into();
    while !deadline.expired() {
        let ready = wait::ready_flags(&wanted(watches), deadline)?;
        check(watches, &ready)?;
    }
    Ok(())
}

/// What to poll for.
pub(super) fn wanted(watches: &[Box<dyn Watch>]) -> Vec<(BorrowedFd<'_>, PollFlags)> {
    watches.iter().map(|watch| (watch.fd(), PollFlags::IN)).collect()
}

/// Checks those that are ready.
pub(super) fn check(watches: &mut [Box<dyn Watch>], ready: &[PollFlags]) -> Result<()> {
    for (watch, flags) in watches.iter_mut().zip(ready) {
        if !flags.is_empty() {
            watch.check()?;
        }
    }
    Ok(())
}
