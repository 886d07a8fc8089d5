//! Asks waits to end at once: what Ctrl-C means to the library.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::event::{EventfdFlags, eventfd};

static ALL: LazyLock<Interrupt> = LazyLock::new(Interrupt::new);

thread_local! {
    static HERE: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
}

/// Makes every present and coming wait of the process end with
/// [`ErrorKind::Interrupted`](crate::ErrorKind), until [`clear`] is called. To be called from an
/// ordinary thread, not from a signal handler.
pub fn request() {
    ALL.request();
}

/// Lets waits wait again: what cleans up after an interrupt has to wait, too.
pub fn clear() {
    ALL.clear();
}

/// Whether somebody asked, be it the whole process or what this thread [entered](Interrupt::enter).
pub fn is_requested() -> bool {
    ALL.is_requested() || here().is_some_and(|here| here.is_requested())
}

/// An interrupt for some threads of a process only: those that have entered it.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<Flag>);

#[derive(Debug)]
struct Flag {
    requested: AtomicBool,
    event: OwnedFd,
}

impl Interrupt {
    /// One that nobody has asked for, and no thread has entered.
    pub fn new() -> Self {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .expect("an event descriptor can always be had, short of descriptors at start");
        Self(Arc::new(Flag { requested: AtomicBool::new(false), event }))
    }

    /// From here on, until its end, the waits of this thread end when this is requested.
    pub fn enter(&self) {
        HERE.set(Some(self.clone()));
    }

    /// Makes every present and coming wait of the threads that entered it end.
    pub fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        // A full counter would refuse, but then the event is readable already.
        let _ = rustix::io::write(&self.0.event, &1u64.to_ne_bytes());
    }

    /// Lets them wait again.
    pub fn clear(&self) {
        self.0.requested.store(false, Ordering::SeqCst);
        let _ = rustix::io::read(&self.0.event, &mut [0u8; 8]);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

/// Readable while an interrupt is requested.
impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}

/// The interrupt of the whole process.
pub(crate) fn of_all() -> &'static Interrupt {
    &ALL
}

/// What this thread entered.
pub(crate) fn here() -> Option<Interrupt> {
    HERE.with_borrow(Clone::clone)
}
