//! What several handles of one machine have in common within a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Things by name, each kept as long as somebody outside uses it.
pub(crate) struct Shared<T> {
    things: Mutex<HashMap<String, Weak<T>>>,
    making: Mutex<()>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { things: Mutex::default(), making: Mutex::default() }
    }
}

impl<T> Shared<T> {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        let things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        things.get(name)?.upgrade()
    }

    /// The thing of this name, or else a new one. Whoever else wants it waits until it is made:
    /// of a monitor, the second connection would never be greeted.
    pub(crate) fn get_or_make<E>(
        &self,
        name: String,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thing) = self.get(&name) {
            return Ok(thing);
        }
        let thing = Arc::new(make()?);
        self.put(name, &thing);
        Ok(thing)
    }

    pub(crate) fn put(&self, name: String, thing: &Arc<T>) {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        things.retain(|_, thing| thing.strong_count() > 0);
        things.insert(name, Arc::downgrade(thing));
    }
}
