//! Sources by the last component of their names, which is how name maps call them.

use crate::tree::label::number;
use crate::tree::source::Sources;
use rustc_hash::FxHashMap;

/// For each source the first one whose name ends in the same component.
pub(crate) fn numbers(sources: &Sources) -> Vec<u32> {
    let mut known = FxHashMap::default();
    let files = sources.files.iter().enumerate();
    files.map(|(at, file)| *known.entry(last(&file.name)).or_insert_with(|| number(at))).collect()
}

/// The last component of a path.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
