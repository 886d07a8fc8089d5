//! What Ctrl-C and its like mean to a wait.
//!
//! Python's own handler of a signal, in C, only takes a note; the handler that is written in
//! Python runs when the interpreter gets to it, on the main thread. While the main thread is in a
//! wait of the library it gets nowhere. So, before every wait, our handler is put around Python's,
//! unless it is there: it lets Python take its note, and wakes the waits that this concerns.
//!
//! - The main thread's wait asks Python to run what it has noted. If that raises, the wait ends
//!   with it; if not, it goes on.
//! - The waits of other threads end on Ctrl-C with `KeyboardInterrupt`, unless the program has a
//!   handler of its own for it, which then decides what it means.

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use kvmtest::interrupt::Interrupt;
use kvmtest::{ErrorKind, Result};
use libc::{c_int, c_void, siginfo_t};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The signals for which programs have handlers.
const SIGNALS: [c_int; 6] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGALRM, libc::SIGUSR1, libc::SIGUSR2];

/// A wait of this thread that has begun; over when it is dropped.
pub(crate) struct Armed {
    place: &'static Place,
}

/// Lets signals end the wait that is about to begin on this thread. What came just before raises
/// its exception here.
pub(crate) fn arm(py: Python<'_>) -> PyResult<Armed> {
    for (index, signal) in SIGNALS.into_iter().enumerate() {
        surround(signal, &FORMER[index]);
    }
    let role = role(py)?;
    let place = SEAT.with(|seat| seat.place);
    place.interrupt.clear();
    place.role.store(role, Ordering::SeqCst);
    let armed = Armed { place };
    if role == MAIN {
        // What Python has noted before we could hear of it.
        py.check_signals()?;
    }
    Ok(armed)
}

impl Armed {
    /// Ends the wait, whose result is `result`; gives back the exception that ended it, if one did.
    pub(crate) fn disarm<T>(self, result: &Result<T>) -> Option<PyErr> {
        let is_ctrl_c = self.place.role.load(Ordering::SeqCst) == OTHER
            && self.place.interrupt.is_requested()
            && result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted);
        drop(self);
        raised().or_else(|| is_ctrl_c.then(|| PyKeyboardInterrupt::new_err(())))
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.place.role.store(IDLE, Ordering::SeqCst);
    }
}

/// Ends the wait of this thread, or the next one, with `error`.
pub(crate) fn raise_in_wait(error: PyErr) {
    RAISED.with_borrow_mut(|raised| {
        raised.get_or_insert(error);
    });
    SEAT.with(|seat| seat.place.interrupt.request());
}

/// What a callback raised on this thread since it was asked last.
pub(crate) fn raised() -> Option<PyErr> {
    RAISED.take()
}

/// Gives the child of a fork interrupts of its own.
pub(crate) fn renew() {
    kvmtest::interrupt::renew();
    for place in places() {
        place.interrupt.renew();
    }
}

// How a place is used.
const IDLE: u8 = 0;
const MAIN: u8 = 1;
/// A thread that Ctrl-C interrupts.
const OTHER: u8 = 2;
/// A thread of a program that has a handler of its own for Ctrl-C.
const UNCONCERNED: u8 = 3;

/// A thread's place in the list that the signal handler goes through. It is never freed; when its
/// thread has ended, another one takes it.
struct Place {
    interrupt: Interrupt,
    role: AtomicU8,
    taken: AtomicBool,
    next: AtomicPtr<Place>,
}

static PLACES: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());

/// Python's handlers, in the order of [`SIGNALS`].
static FORMER: [Former; SIGNALS.len()] = [const { Former::none() }; SIGNALS.len()];

struct Former {
    handler: AtomicUsize,
    flags: AtomicI32,
}

thread_local! {
    static SEAT: Seat = Seat::take();
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// A place, as long as its thread lives.
struct Seat {
    place: &'static Place,
}

impl Seat {
    fn take() -> Self {
        let free = places().find(|place| {
            let taken = &place.taken;
            taken.compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        });
        let place = free.unwrap_or_else(add_place);
        place.interrupt.enter_judged(judge);
        Self { place }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.place.role.store(IDLE, Ordering::SeqCst);
        self.place.taken.store(false, Ordering::SeqCst);
    }
}

impl Former {
    const fn none() -> Self {
        Self { handler: AtomicUsize::new(0), flags: AtomicI32::new(0) }
    }
}

fn places() -> impl Iterator<Item = &'static Place> {
    let next = |place: *mut Place| {
        // SAFETY: what is in the list was leaked, and never changes but by its atomics.
        unsafe { place.as_ref() }
    };
    std::iter::successors(next(PLACES.load(Ordering::SeqCst)), move |place| {
        next(place.next.load(Ordering::SeqCst))
    })
}

fn add_place() -> &'static Place {
    let place: &'static mut Place = Box::leak(Box::new(Place {
        interrupt: Interrupt::new(),
        role: AtomicU8::new(IDLE),
        taken: AtomicBool::new(true),
        next: AtomicPtr::new(ptr::null_mut()),
    }));
    let place = ptr::from_mut(place);
    let mut first = PLACES.load(Ordering::SeqCst);
    loop {
        // SAFETY: it was leaked just now.
        unsafe { &*place }.next.store(first, Ordering::SeqCst);
        match PLACES.compare_exchange(first, place, Ordering::SeqCst, Ordering::SeqCst) {
            // SAFETY: it was leaked just now, and lives for ever.
            Ok(_) => return unsafe { &*place },
            Err(now) => first = now,
        }
    }
}

/// Whether a wait of this thread, which was woken, ends.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method alone has not the lifetime that is asked for"
)]
fn judge() -> bool {
    if RAISED.with_borrow(Option::is_some) {
        return true;
    }
    let role = SEAT.with(|seat| seat.place.role.load(Ordering::SeqCst));
    if role != MAIN {
        return true;
    }
    match Python::attach(|py| py.check_signals()) {
        Ok(()) => false,
        Err(error) => {
            RAISED.set(Some(error));
            true
        }
    }
}

fn role(py: Python<'_>) -> PyResult<u8> {
    static GETSIGNAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static DEFAULT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    // The thread by which the kernel knows the process; after a fork, the one that forked.
    // SAFETY: neither call can fail or has a precondition.
    if unsafe { libc::gettid() == libc::getpid() } {
        return Ok(MAIN);
    }
    let handler = GETSIGNAL.import(py, "signal", "getsignal")?.call1((libc::SIGINT,))?;
    let default = DEFAULT.import(py, "signal", "default_int_handler")?;
    Ok(if handler.is(default) { OTHER } else { UNCONCERNED })
}

/// Puts our handler around the one that `signal` has, if it has one.
fn surround(signal: c_int, former: &Former) {
    // SAFETY: a structure of integers and pointers, for which zeros are a value.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: it only asks, and has a place for the answer.
    if unsafe { libc::sigaction(signal, ptr::null(), &raw mut now) } != 0 {
        return;
    }
    let ours = on_signal as *const () as usize;
    let is_none = now.sa_sigaction == libc::SIG_DFL || now.sa_sigaction == libc::SIG_IGN;
    // A handler for one time only is gone when it is called.
    if is_none || now.sa_sigaction == ours || now.sa_flags & libc::SA_RESETHAND != 0 {
        return;
    }
    former.flags.store(now.sa_flags, Ordering::SeqCst);
    former.handler.store(now.sa_sigaction, Ordering::SeqCst);
    now.sa_sigaction = ours;
    now.sa_flags |= libc::SA_SIGINFO;
    // SAFETY: the handler only does what a handler may, and has the form that the flags say.
    unsafe { libc::sigaction(signal, &raw const now, ptr::null_mut()) };
}

/// Python takes its note first: whoever is woken looks for it.
extern "C" fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the place of `errno` of this thread; who is interrupted must find it as it was.
    let errno = unsafe { *libc::__errno_location() };
    if let Some(index) = SIGNALS.iter().position(|&known| known == signal) {
        FORMER[index].call(signal, info, context);
    }
    for place in places() {
        let role = place.role.load(Ordering::SeqCst);
        if role == MAIN || (role == OTHER && signal == libc::SIGINT) {
            place.interrupt.request();
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

impl Former {
    fn call(&self, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let handler = self.handler.load(Ordering::SeqCst);
        if handler == 0 {
            return;
        }
        if self.flags.load(Ordering::SeqCst) & libc::SA_SIGINFO != 0 {
            // SAFETY: it was the signal's handler, and its flags say that it has this form.
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        } else {
            // SAFETY: it was the signal's handler, and its flags say that it has this form.
            let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}
