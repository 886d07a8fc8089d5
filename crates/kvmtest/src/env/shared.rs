//! What several handles of one machine have in common within a process.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use crate::deadline::Deadline;
use crate::error::Result;

/// Things by name, each kept as long as somebody outside uses it.
pub(crate) struct Shared<T> {
    slots: Mutex<HashMap<String, Slot<T>>>,
    changed: Condvar,
}

enum Slot<T> {
    /// Somebody is making it.
    Making,
    There(Weak<T>),
}

impl<T> Shared<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        found(&self.slots(), name)
    }

    pub(crate) fn put(&self, name: String, thing: &Arc<T>) {
        let mut slots = self.slots();
        slots.retain(|_, slot| match slot {
            Slot::Making => true,
            Slot::There(thing) => thing.strong_count() > 0,
        });
        slots.insert(name, Slot::There(Arc::downgrade(thing)));
    }

    /// The thing called `name`; if there is none, `make` makes it. Whoever else wants it
    /// meanwhile waits until it is made, and makes it himself when `deadline` has passed.
    pub(crate) fn get_or_make(
        &self,
        name: &str,
        deadline: Deadline,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let mut slots = self.slots();
        while matches!(slots.get(name), Some(Slot::Making)) && !deadline.expired() {
            let (now, _) = self
                .changed
                .wait_timeout(slots, deadline.remaining())
                .unwrap_or_else(PoisonError::into_inner);
            slots = now;
        }
        if let Some(thing) = found(&slots, name) {
            return Ok(thing);
        }
        slots.insert(name.to_owned(), Slot::Making);
        drop(slots);
        let place = Place { shared: self, name };
        let thing = Arc::new(make()?);
        self.put(name.to_owned(), &thing);
        drop(place);
        Ok(thing)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Slot<T>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found<T>(slots: &HashMap<String, Slot<T>>, name: &str) -> Option<Arc<T>> {
    match slots.get(name)? {
        Slot::Making => None,
        Slot::There(thing) => thing.upgrade(),
    }
}

/// The place of a thing that is being made; free again when this is dropped, however that went.
struct Place<'a, T> {
    shared: &'a Shared<T>,
    name: &'a str,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut slots = self.shared.slots();
        if matches!(slots.get(self.name), Some(Slot::Making)) {
            slots.remove(self.name);
        }
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn what_several_want_at_once_is_made_once() {
        let (shared, made) = (Shared::new(), AtomicU32::new(0));
        let late = Deadline::after(Duration::from_secs(60));
        let make = || {
            std::thread::yield_now();
            Ok(made.fetch_add(1, Ordering::SeqCst))
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let get = || shared.get_or_make("one", late, make).expect("made");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(all.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])) || all.len() < 2);
        assert_eq!(made.load(Ordering::SeqCst), 1);
        drop(all);
        assert!(shared.get("one").is_none(), "nobody uses it");
    }

    #[test]
    fn what_could_not_be_made_can_be_tried_again() {
        let shared = Shared::new();
        let late = Deadline::after(Duration::from_secs(60));
        let fail = || Err::<u32, _>(Error::new(ErrorKind::Monitor, "no"));
        shared.get_or_make("one", late, fail).expect_err("not made");
        assert_eq!(*shared.get_or_make("one", late, || Ok(5)).expect("made"), 5);
    }
}
