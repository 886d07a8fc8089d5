//! Files that are read several times.

use super::Found;
use crate::tree::source::{File, Sources};
use rustc_hash::FxHashMap;

/// Keeps, once, what is found in all readings of a file. `found` is ordered by place.
pub(super) fn in_all_readings(sources: &Sources, found: Vec<Found>) -> Vec<Found> {
    let mut readings: FxHashMap<&str, usize> = FxHashMap::default();
    for file in &sources.files {
        *readings.entry(file.name.as_ref()).or_default() += 1;
    }
    let place = |found: &Found| {
        let file: &File = &sources.files[sources.file_at(found.at.start)];
        (file.name.as_ref(), found.at.start - file.base, found.finding)
    };
    let mut counts: FxHashMap<_, usize> = FxHashMap::default();
    for found in &found {
        if readings[place(found).0] > 1 {
            *counts.entry(place(found)).or_default() += 1;
        }
    }
    let is_kept = |found: &Found| match counts.get_mut(&place(found)) {
        Some(count) => {
            let all = *count == readings[place(found).0];
            *count = 0;
            all
        }
        None => true,
    };
    let mut is_kept = is_kept;
    found.into_iter().filter(|found| is_kept(found)).collect()
}
