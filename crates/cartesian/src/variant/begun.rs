//! What the beginning of a text led to, for all variants that have it in common.

use crate::variant::dictionary::Entry;

/// What came out of a beginning.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// Which plan this is, and which conditions held.
    pub(crate) key: (u64, u64),
    pub(crate) entries: Vec<Entry>,
    /// The texts that stand in no source.
    pub(crate) own: String,
    pub(crate) bounding: Vec<u32>,
    pub(crate) has_gone: bool,
}
