//! The name of a variant while it grows: what filters are judged against.

use crate::plan::Plan;
use crate::tree::filter::{FilterId, Term};

/// The labels so far, and for each that a filter names how often it is among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    labels: Vec<u32>,
    /// By tag.
    tags: Vec<u32>,
}

impl Name {
    pub(crate) const fn new() -> Self {
        Self { labels: Vec::new(), tags: Vec::new() }
    }

    /// Makes room for the tags of this plan. The name has to be empty.
    pub(crate) fn fit(&mut self, plan: &Plan) {
        self.tags.resize(plan.tag_count, 0);
    }

    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    pub(crate) fn push(&mut self, plan: &Plan, label: u32) {
        self.labels.push(label);
        for tag in plan.tags_of(label) {
            self.tags[tag as usize] += 1;
        }
    }

    /// Takes labels away until this many are left.
    pub(crate) fn truncate(&mut self, plan: &Plan, length: usize) {
        for label in self.labels.drain(length.min(self.labels.len())..) {
            for tag in plan.tags_of(label) {
                self.tags[tag as usize] -= 1;
            }
        }
    }

    pub(crate) fn has_tag(&self, tag: u32) -> bool {
        self.tags[tag as usize] > 0
    }

    /// Whether a filter matches, this being the whole name.
    pub(crate) fn matches(&self, plan: &Plan, filter: FilterId) -> bool {
        let has = |term: &Term| match *term {
            Term::Tag(tag) => self.has_tag(tag),
            Term::Sequence(sequence) => {
                self.has_sequence(plan, &plan.tree.filters.sequences[sequence as usize])
            }
        };
        plan.tree.filters.words(filter).any(|word| word.iter().all(has))
    }

    /// Somewhere these tags stand directly after one another.
    pub(crate) fn has_sequence(&self, plan: &Plan, tags: &[u32]) -> bool {
        tags.iter().all(|&tag| self.has_tag(tag)) && self.position(plan, tags).is_some()
    }

    /// The last labels have these tags, in this order.
    pub(crate) fn ends_with(&self, plan: &Plan, tags: &[u32]) -> bool {
        self.labels.len() >= tags.len() && self.is_at(plan, self.labels.len() - tags.len(), tags)
    }

    /// Where these tags first stand directly after one another.
    pub(crate) fn position(&self, plan: &Plan, tags: &[u32]) -> Option<usize> {
        self.position_before(plan, tags, self.labels.len())
    }

    /// How much of a sequence the first `length` labels have: bit 0 tells that it is complete
    /// somewhere, bit n that they end with its first n tags.
    pub(crate) fn progress(&self, plan: &Plan, sequence: u32, length: usize) -> u32 {
        let tags = &plan.tree.filters.sequences[sequence as usize];
        let mut progress = u32::from(self.position_before(plan, tags, length).is_some());
        for begun in 1..tags.len().min(length + 1) {
            if self.is_at(plan, length - begun, &tags[..begun]) {
                progress |= 1 << begun;
            }
        }
        progress
    }

    fn position_before(&self, plan: &Plan, tags: &[u32], length: usize) -> Option<usize> {
        let mut starts = 0..(length + 1).saturating_sub(tags.len());
        starts.find(|&start| self.is_at(plan, start, tags))
    }

    fn is_at(&self, plan: &Plan, start: usize, tags: &[u32]) -> bool {
        let labels = &self.labels[start..start + tags.len()];
        labels.iter().zip(tags).all(|(label, tag)| plan.tags[*label as usize].contains(tag))
    }
}
