//! Where things stand that enumeration never asks about: for those who explain or judge a text.

use crate::tree::NodeId;
use crate::tree::source::Span;
use rustc_hash::FxHashMap;

/// A filter in its statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilterSpan {
    /// `only a, b`, `no a`, `join a b`; of a condition the filter, with the `!` before it.
    pub(crate) statement: Span,
    /// The filter alone. The filters of one `join` all have the whole of its words.
    pub(crate) filter: Span,
}

/// A variant as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The node that has its labels.
    pub(crate) node: NodeId,
    /// The entry whose block it stands in.
    pub(crate) outer: Option<u32>,
}

#[derive(Clone, Default)]
pub(crate) struct Spans {
    /// By the number of the filter.
    pub(crate) filters: Vec<FilterSpan>,
    /// All variants, an outer one before its inner ones.
    pub(crate) entries: Vec<Entry>,
    /// For each node the entry whose block its statements stand in.
    pub(crate) nodes: Vec<Option<u32>>,
    /// For each source that was included the path in the `include` statement.
    pub(crate) includes: FxHashMap<u32, Span>,
    /// The entry that is being read.
    pub(crate) current: Option<u32>,
}

impl Spans {
    /// Begins an entry; what it returns ends it.
    pub(crate) fn enter(&mut self, node: NodeId) -> u32 {
        let entry = crate::tree::label::number(self.entries.len());
        self.entries.push(Entry { node, outer: self.current });
        self.current = Some(entry);
        // The node was made before anybody knew that it begins an entry.
        self.nodes[node.0 as usize] = Some(entry);
        entry
    }

    /// `node` is the one that gets the labels.
    pub(crate) fn leave(&mut self, entry: u32, node: NodeId) {
        let entry = &mut self.entries[entry as usize];
        entry.node = node;
        self.current = entry.outer;
    }
}
