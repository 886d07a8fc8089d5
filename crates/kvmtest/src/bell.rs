//! Wakes waits from another thread: a reader thread rings, whoever waits hears it in `poll`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::event::{EventfdFlags, eventfd};

use crate::error::Result;

/// Something that happens again and again. Ringing wakes every listener.
#[derive(Default)]
pub(crate) struct Bell {
    listeners: Mutex<Vec<Weak<OwnedFd>>>,
}

/// Readable from the first ring after it was made, or after it was last quieted.
pub(crate) struct Listener {
    event: Arc<OwnedFd>,
}

impl Bell {
    pub(crate) fn ring(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| match listener.upgrade() {
            Some(event) => {
                // Only a full counter refuses, and that is as readable as any other.
                let _ = rustix::io::write(&event, &1u64.to_ne_bytes());
                true
            }
            None => false,
        });
    }

    pub(crate) fn listen(&self) -> Result<Listener> {
        let event = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Arc::downgrade(&event));
        Ok(Listener { event })
    }
}

impl Listener {
    /// Forgets the rings so far. To be called before looking at what the bell stands for, so
    /// that nothing is missed between the look and the wait.
    pub(crate) fn quiet(&self) {
        let _ = rustix::io::read(&self.event, &mut [0u8; 8]);
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
