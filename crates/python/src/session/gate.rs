//! One thread at a time in a session: the others wait, as interruptibly as for anything else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kvmtest::session::{Session, Watch};
use kvmtest::{Deadline, Error, ErrorKind, Result, wait};
use rustix::event::{EventfdFlags, eventfd};

/// A session, and the place of the one thread that uses it.
pub(crate) struct Gate {
    /// Never waited for: who has the place has it. Nothing, once it was taken out.
    session: Mutex<Option<Session>>,
    /// Readable while the place is free; who reads it has it.
    place: OwnedFd,
    closing: Arc<Closing>,
}

/// What ends the waits of whoever is in a session that another thread closes.
struct Closing {
    event: OwnedFd,
    is_begun: AtomicBool,
}

impl Gate {
    pub(crate) fn new(mut session: Session) -> Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let closing =
            Arc::new(Closing { event: eventfd(0, flags)?, is_begun: AtomicBool::new(false) });
        session.add_watch(Box::new(CloseWatch(Arc::clone(&closing))));
        Ok(Self { session: Mutex::new(Some(session)), place: eventfd(1, flags)?, closing })
    }

    /// Runs `work` with the session to itself, once nobody else uses it.
    pub(crate) fn pass<T>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut Session) -> Result<T>,
    ) -> Result<T> {
        let _place = self.take_place(deadline)?;
        // What panicked in it is over, and its next user finds what it left.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        work(session.as_mut().ok_or_else(closed)?)
    }

    /// Takes the session out, for good.
    pub(crate) fn take(&self, deadline: Deadline) -> Result<Session> {
        let _place = self.take_place(deadline)?;
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.closing.is_begun.store(true, Ordering::SeqCst);
        session.ok_or_else(closed)
    }

    /// Closes the session, whoever is in it.
    pub(crate) fn close(&self, deadline: Deadline) -> Result<()> {
        self.closing.is_begun.store(true, Ordering::SeqCst);
        rustix::io::write(&self.closing.event, &1u64.to_ne_bytes())?;
        let _place = self.take_place(deadline)?;
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = session.as_mut() {
            session.close();
        }
        Ok(())
    }

    /// Whether somebody closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.closing.is_begun.load(Ordering::SeqCst)
    }

    fn take_place(&self, deadline: Deadline) -> Result<Place<'_>> {
        loop {
            if rustix::io::read(&self.place, &mut [0u8; 8]).is_ok() {
                return Ok(Place(&self.place));
            }
            let [is_free] = wait::readable([self.place.as_fd()], deadline)?;
            if !is_free {
                let message = "another thread used the session all the time";
                return Err(Error::new(ErrorKind::ShellTimeout, message));
            }
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::ExpectTerminated, "the session is closed")
}

/// The place, until this is dropped.
struct Place<'a>(&'a OwnedFd);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // It was read, so there is room for one.
        let _ = rustix::io::write(self.0, &1u64.to_ne_bytes());
    }
}

struct CloseWatch(Arc<Closing>);

impl Watch for CloseWatch {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }

    fn check(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::ExpectTerminated, "the session was closed"))
    }

    fn knows_endings(&self) -> bool {
        false
    }
}
