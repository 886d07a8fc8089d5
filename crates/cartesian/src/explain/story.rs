//! What happened along one path.

use super::step::Step;
use std::sync::Arc;

/// What the statements of one variant did to a key; of a joined one, those of one of its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Story {
    /// The name of the variant, or of the part.
    pub variant: String,
    /// What happened to the key, in this order.
    pub steps: Vec<Step>,
    /// What the key was called in the end, and its value: several where suffixes make several
    /// keys of one, none where it has no value.
    pub result: Vec<(String, Arc<str>)>,
}
