//! The watched keys as they are at a moment.

use super::watch::Watch;
use crate::limits;
use crate::tree::label::Symbol;
use crate::variant::record::State;
use std::sync::Arc;

/// A watched key at a moment.
#[derive(Clone)]
pub(super) struct Key {
    /// Where it stands among all keys.
    pub(super) at: usize,
    pub(super) symbol: Symbol,
    /// With its suffixes.
    pub(super) name: String,
    pub(super) value: Arc<str>,
    pub(super) operation: u32,
}

/// The watched keys, looked at again and again.
pub(super) struct Keys {
    pub(super) list: Vec<Key>,
    /// How many entries were looked at so far.
    looked: usize,
    /// How many more bytes of values may be kept: what is cheap to make by many `+=` is not cheap
    /// to keep after each of them.
    room: usize,
}

/// Stands for a value that there is no room for.
const CUT: &str = "…";

impl Keys {
    pub(super) fn new() -> Self {
        Self { list: Vec::new(), looked: 0, room: limits::VALUE_BYTES }
    }

    /// The entries of another path come now.
    pub(super) fn forget(&mut self) {
        self.list.clear();
        self.looked = 0;
    }

    /// Looks again; what there was before.
    ///
    /// Entries are never moved and never come back to life, so only those that are known and
    /// those that are new have to be looked at.
    pub(super) fn look(&mut self, watch: &Watch, state: &State) -> Vec<Key> {
        let known = self.list.iter().map(|key| key.at);
        let new = (self.looked..state.entries.len()).filter(|at| watch.has(state.entries[*at].key));
        let mut list = Vec::new();
        for at in known.chain(new) {
            let entry = &state.entries[at];
            if !entry.live {
                continue;
            }
            let old = self.list.iter().find(|key| key.at == at);
            let value = if let Some(old) = old.filter(|old| old.operation == entry.operation) {
                old.value.clone()
            } else {
                let value = state.builder.str(entry.value);
                let has_room = value.len() <= self.room;
                let kept = if has_room { value } else { CUT };
                self.room -= if has_room { kept.len() } else { 0 };
                kept.into()
            };
            let name = state.builder.written(entry);
            list.push(Key { at, symbol: entry.key, name, value, operation: entry.operation });
        }
        self.looked = state.entries.len();
        std::mem::replace(&mut self.list, list)
    }

    /// The value that the key has now, by preference as the one who asked calls it.
    pub(super) fn current(&self, watch: &Watch) -> Option<Arc<str>> {
        let named = self.list.iter().find(|key| key.name == watch.key);
        named.or_else(|| self.list.first()).map(|key| key.value.clone())
    }
}
