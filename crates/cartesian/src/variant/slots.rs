//! Where in a list the entry of a key is.

use crate::tree::label::{Symbol, number};

/// For each key where its entry is. Forgetting all of it takes no time: what was written in
/// another round does not count.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    round: u32,
}

#[derive(Clone, Copy, Default, Debug)]
struct Slot {
    round: u32,
    at: u32,
}

impl Slots {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), round: 1 }
    }

    /// Makes room for this many keys, and forgets everything.
    pub(crate) fn clear(&mut self, keys: usize) {
        if self.slots.len() < keys {
            self.slots.resize(keys, Slot::default());
        }
        if self.round == u32::MAX {
            self.slots.fill(Slot::default());
            self.round = 0;
        }
        self.round += 1;
    }

    pub(crate) fn get(&self, key: Symbol) -> Option<usize> {
        let slot = self.slots[key.index()];
        (slot.round == self.round).then_some(slot.at as usize)
    }

    pub(crate) fn set(&mut self, key: Symbol, at: usize) {
        self.slots[key.index()] = Slot { round: self.round, at: number(at) };
    }

    pub(crate) fn remove(&mut self, key: Symbol) {
        self.slots[key.index()].round = 0;
    }
}
