//! What several handles of one machine have in common within a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Things by name, each kept as long as somebody outside uses it.
pub(crate) struct Shared<T> {
    things: Mutex<HashMap<String, Weak<T>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { things: Mutex::default() }
    }
}

impl<T> Shared<T> {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<T>> {
        let things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        things.get(name)?.upgrade()
    }

    pub(crate) fn put(&self, name: String, thing: &Arc<T>) {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        things.retain(|_, thing| thing.strong_count() > 0);
        things.insert(name, Arc::downgrade(thing));
    }
}
