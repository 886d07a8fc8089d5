//! Asks waits to end at once: what Ctrl-C means to the library.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::event::{EventfdFlags, eventfd};

static ALL: LazyLock<Interrupt> = LazyLock::new(Interrupt::new);

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

/// What a thread has entered.
struct Here {
    interrupt: Interrupt,
    judge: Option<Rc<dyn Fn() -> bool>>,
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

/// Lets the child of a fork have an interrupt of its own, instead of that of its parent. Threads'
/// own interrupts need [`Interrupt::renew`] as well.
pub fn renew() {
    ALL.renew();
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
        HERE.set(Some(Here { interrupt: self.clone(), judge: None }));
    }

    /// As [`enter`](Self::enter), but a request does not end a wait by itself: it makes the wait
    /// ask `judge`, on this thread. If that says `false`, the request is cleared and the wait goes on.
    /// For signals that a program has handlers for, which decide.
    pub fn enter_judged(&self, judge: impl Fn() -> bool + 'static) {
        HERE.set(Some(Here { interrupt: self.clone(), judge: Some(Rc::new(judge)) }));
    }

    /// Makes every present and coming wait of the threads that entered it end.
    ///
    /// May be called in a signal handler: it stores a flag and writes to a descriptor.
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

    /// Puts a new event in place of the present one. After a fork the child's is otherwise its
    /// parent's, too: what the one asks for would wake the other. It is not requested any more.
    pub fn renew(&self) {
        let Ok(event) = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK) else { return };
        // SAFETY: the descriptor is this interrupt's, open, and not closed here.
        let place = unsafe { OwnedFd::from_raw_fd(self.0.event.as_raw_fd()) };
        let mut place = ManuallyDrop::new(place);
        // Without it the two share an event, as before.
        let _ = rustix::io::dup3(&event, &mut place, rustix::io::DupFlags::CLOEXEC);
        self.0.requested.store(false, Ordering::SeqCst);
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
    HERE.with_borrow(|here| here.as_ref().map(|here| here.interrupt.clone()))
}

/// Whether a wait of this thread is to end now; asks the judge, if there is one.
pub(crate) fn ends_wait() -> bool {
    ask_judge();
    is_requested()
}

fn ask_judge() {
    let asked = HERE.with_borrow(|here| {
        let here = here.as_ref().filter(|here| here.interrupt.is_requested())?;
        Some((here.interrupt.clone(), here.judge.clone()?))
    });
    // Outside of the borrow: a judge may do anything.
    if let Some((interrupt, judge)) = asked {
        // First, so that a request that comes while the judge thinks is not lost.
        interrupt.clear();
        if judge() {
            interrupt.request();
        }
    }
}
