//! Asks every wait of this process to end at once: what Ctrl-C means to the library.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{EventfdFlags, eventfd};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static EVENT: OnceLock<OwnedFd> = OnceLock::new();

/// Makes every present and coming wait end with [`ErrorKind::Interrupted`](crate::ErrorKind),
/// until [`clear`] is called. To be called from an ordinary thread, not from a signal handler.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
    // A full counter would refuse, but then the event is readable already.
    let _ = rustix::io::write(event(), &1u64.to_ne_bytes());
}

/// Lets waits wait again: what cleans up after an interrupt has to wait, too.
pub fn clear() {
    REQUESTED.store(false, Ordering::SeqCst);
    let _ = rustix::io::read(event(), &mut [0u8; 8]);
}

/// Whether somebody asked.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Readable while an interrupt is requested.
pub(crate) fn event() -> BorrowedFd<'static> {
    EVENT
        .get_or_init(|| {
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
                .expect("an event descriptor can always be had, short of descriptors at start")
        })
        .as_fd()
}
