//! What has to go: leftovers, what is broken, and what was not used for longest.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::contents::{self, Item, Kind};
use super::entry::{Blocks, Condition, Entry};
use crate::error::{Error, Result};
use crate::lock::Lock;

/// Removes leftovers and broken states, and then the least recently used ones until the rest
/// takes no more than `limit` bytes; gives back what was removed.
///
/// What somebody has the lock of (to make it, to digest it) is left alone.
/// What cannot be removed keeps nothing else from it; the first error is told in the end.
pub(super) fn sweep(root: &Utf8Path, limit: u64) -> Result<Vec<Entry>> {
    let (mut sweeper, mut kept) = (Sweeper::default(), Vec::new());
    for item in contents::items(root)? {
        match item.kind {
            Kind::State => {
                let Some(entry) = Entry::read(&item.path, &item.digest) else { continue };
                let is_broken = matches!(entry.condition, Condition::Broken(_));
                if !(is_broken && sweeper.drop_state(root, &entry)) {
                    kept.push(entry);
                }
            }
            Kind::Draft | Kind::Waste => {
                if let Some(entry) = sweeper.tried(remove_leftover(root, &item)).flatten() {
                    sweeper.removed.push(entry);
                }
            }
            Kind::Lock => drop(sweeper.tried(Lock::try_take(&item.path))),
        }
    }
    let mut usage = Usage::of(&kept);
    kept.sort_by(|a, b| (a.used, &a.digest).cmp(&(b.used, &b.digest)));
    for entry in kept {
        if usage.bytes > limit && sweeper.drop_state(root, &entry) {
            usage.release(&entry.blocks);
        }
    }
    sweeper.error.map_or(Ok(sweeper.removed), Err)
}

#[derive(Default)]
struct Sweeper {
    removed: Vec<Entry>,
    error: Option<Error>,
}

impl Sweeper {
    /// Drops a state that nobody is using; says whether it did.
    fn drop_state(&mut self, root: &Utf8Path, entry: &Entry) -> bool {
        let dropped = Lock::try_take(&contents::lock(root, &entry.digest)).and_then(|lock| {
            let Some(_lock) = lock else { return Ok(false) };
            contents::drop_state(root, &entry.digest)
        });
        let dropped = self.tried(dropped).unwrap_or(false);
        if dropped {
            self.removed.push(entry.clone());
        }
        dropped
    }

    fn tried<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.error.get_or_insert(error)).ok()
    }
}

fn remove_leftover(root: &Utf8Path, item: &Item) -> Result<Option<Entry>> {
    let entry = Entry::unfinished(&item.path, &item.digest);
    // A draft belongs to who has the lock; what is being removed may be removed by two.
    let lock = Lock::try_take(&contents::lock(root, &item.digest))?;
    if item.kind == Kind::Draft && (lock.is_none() || !item.path.exists()) {
        return Ok(None);
    }
    contents::remove(&item.path)?;
    Ok(Some(entry))
}

/// What states take on disk together; what several of them have is counted once.
struct Usage {
    bytes: u64,
    holders: BTreeMap<(u64, u64), usize>,
}

impl Usage {
    fn of(entries: &[Entry]) -> Self {
        let mut usage = Self { bytes: 0, holders: BTreeMap::new() };
        for (file, bytes) in entries.iter().flat_map(|entry| &entry.blocks) {
            let holders = usage.holders.entry(*file).or_default();
            if *holders == 0 {
                usage.bytes += bytes;
            }
            *holders += 1;
        }
        usage
    }

    fn release(&mut self, blocks: &Blocks) {
        for (file, bytes) in blocks {
            let Some(holders) = self.holders.get_mut(file) else { continue };
            *holders = holders.saturating_sub(1);
            if *holders == 0 {
                self.bytes = self.bytes.saturating_sub(*bytes);
            }
        }
    }
}
