//! The name of a variant while it grows: what filters are judged against.

use crate::plan::Plan;

/// The labels so far, and for each that a filter names how often it is among them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    labels: Vec<u32>,
    /// By tag.
    tags: Vec<u32>,
    /// By number of the sequence: labels directly after one another.
    sequences: Vec<u32>,
}

impl Name {
    pub(crate) const fn new() -> Self {
        Self { labels: Vec::new(), tags: Vec::new(), sequences: Vec::new() }
    }

    /// Makes room for the tags and sequences of this plan. The name has to be empty.
    pub(crate) fn fit(&mut self, plan: &Plan) {
        self.tags.resize(plan.tag_count, 0);
        self.sequences.resize(plan.tree.filters.sequences.len(), 0);
    }

    pub(crate) fn labels(&self) -> &[u32] {
        &self.labels
    }

    pub(crate) fn push(&mut self, plan: &Plan, label: u32) {
        self.labels.push(label);
        self.count(plan, label, 1);
    }

    /// Takes labels away until this many are left.
    pub(crate) fn truncate(&mut self, plan: &Plan, length: usize) {
        while self.labels.len() > length {
            // A sequence that the label ended is found again while the label is still there.
            self.count(plan, self.labels[self.labels.len() - 1], u32::MAX);
            self.labels.pop();
        }
    }

    pub(crate) fn has_tag(&self, tag: u32) -> bool {
        self.tags[tag as usize] > 0
    }

    pub(crate) fn has_sequence(&self, sequence: u32) -> bool {
        self.sequences[sequence as usize] > 0
    }

    /// The last labels have these tags, in this order.
    pub(crate) fn ends_with(&self, plan: &Plan, tags: &[u32]) -> bool {
        self.labels.len() >= tags.len() && self.is_at(plan, self.labels.len() - tags.len(), tags)
    }

    /// How much of a sequence the first `length` labels have: bit 0 tells that it is complete
    /// somewhere, bit n that they end with its first n tags.
    pub(crate) fn progress(&self, plan: &Plan, sequence: u32, length: usize) -> u32 {
        let tags = &plan.tree.filters.sequences[sequence as usize];
        let fits = |start: usize| start + tags.len() <= length && self.is_at(plan, start, tags);
        let mut progress = u32::from((0..length).any(fits));
        for begun in 1..tags.len().min(length + 1) {
            if self.is_at(plan, length - begun, &tags[..begun]) {
                progress |= 1 << begun;
            }
        }
        progress
    }

    fn is_at(&self, plan: &Plan, start: usize, tags: &[u32]) -> bool {
        let labels = &self.labels[start..start + tags.len()];
        labels.iter().zip(tags).all(|(label, tag)| plan.tags[*label as usize].contains(tag))
    }

    /// `by` is 1, or -1 as a wrapping number.
    fn count(&mut self, plan: &Plan, label: u32, by: u32) {
        for tag in plan.tags_of(label) {
            let count = &mut self.tags[tag as usize];
            *count = count.wrapping_add(by);
            for &sequence in &plan.endings[tag as usize] {
                if self.ends_with(plan, &plan.tree.filters.sequences[sequence as usize]) {
                    let count = &mut self.sequences[sequence as usize];
                    *count = count.wrapping_add(by);
                }
            }
        }
    }
}
