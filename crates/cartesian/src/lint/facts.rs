//! The name that a search is at, and what each fact about it is due to.

use super::outline::{Outline, head, outwards};
use crate::plan::Plan;
use crate::tree::NodeId;
use crate::tree::filter::FilterId;
use crate::walk::judge::{Judge, Verdict};
use crate::walk::name::Name;
use std::ops::BitOr;

/// A set of choices, one bit each, the outermost first. It is never too small: with these choices
/// the same happens, whatever the others are.
pub(super) type Blame = u128;

pub(super) struct Facts {
    name: Name,
    /// For each label the entry that has it.
    owners: Vec<u32>,
    /// Whether the name goes through an entry.
    chosen: Vec<bool>,
    /// For each entry of the name the choice that led into it, maybe one further out.
    origins: Vec<Blame>,
    /// For each node whether it is a block that the name went through, and the choice there.
    passed: Vec<bool>,
    bits: Vec<Blame>,
}

impl Facts {
    pub(super) fn new(plan: &Plan, entries: usize) -> Self {
        let mut name = Name::new();
        name.fit(plan);
        Self {
            name,
            owners: Vec::new(),
            chosen: vec![false; entries],
            origins: vec![0; entries],
            passed: vec![false; plan.tree.nodes.len()],
            bits: vec![0; plan.tree.nodes.len()],
        }
    }

    /// How many labels the name has.
    pub(super) fn len(&self) -> usize {
        self.name.labels().len()
    }

    pub(super) fn judge<'f>(&'f self, plan: &'f Plan, node: NodeId) -> Judge<'f> {
        Judge { plan, name: &self.name, ahead: plan.ahead(node) }
    }

    /// Appends the labels of an entry. `bit` is the choice of it, if there was one.
    pub(super) fn choose(&mut self, plan: &Plan, block: NodeId, entry: u32, bit: Blame) {
        let outer = plan.tree.spans.entries[entry as usize].outer;
        self.chosen[entry as usize] = true;
        self.origins[entry as usize] = if bit == 0 { self.origin(outer) } else { bit };
        self.passed[block.0 as usize] = true;
        self.bits[block.0 as usize] = bit;
        for &label in &head(plan, entry).labels {
            self.name.push(plan, label);
            self.owners.push(entry);
        }
    }

    pub(super) fn unchoose(&mut self, block: NodeId, entry: u32) {
        self.passed[block.0 as usize] = false;
        self.chosen[entry as usize] = false;
    }

    /// Takes labels off the end.
    pub(super) fn forget(&mut self, plan: &Plan, len: usize) {
        self.owners.truncate(len);
        self.name.truncate(plan, len);
    }

    /// The choice that led into a scope of the name.
    pub(super) fn origin(&self, scope: Option<u32>) -> Blame {
        scope.map_or(0, |entry| self.origins[entry as usize])
    }

    /// Why a filter matches, or never will, and in how many steps that was found out.
    pub(super) fn why(
        &self,
        plan: &Plan,
        outline: &Outline,
        filter: FilterId,
        node: NodeId,
        matches: bool,
    ) -> (Blame, usize) {
        let filters = &plan.tree.filters;
        let judge = self.judge(plan, node);
        let is_absent = |tag: &u32| !self.name.has_tag(*tag) && !judge.is_ahead(*tag);
        let words = filters.words(filter);
        if matches {
            let mut words = words.filter(|word| judge.word(word) == Verdict::Match);
            let Some(word) = words.next() else { return (Blame::MAX, 0) };
            let due = filters.sequences(word).map(|tags| match tags {
                [tag] => self.why_present(plan, *tag),
                tags => self.why_in_a_row(plan, tags),
            });
            return (due.fold(0, BitOr::bitor), self.name.labels().len());
        }
        let mut blame = 0;
        let mut cost = 0;
        for word in words {
            let due = if let Some(&tag) = filters.sequences(word).flatten().find(|t| is_absent(t)) {
                let owners = outline.owners(tag);
                cost += owners.len();
                let due = owners.iter().map(|&owner| self.why_avoided(plan, outline, owner));
                due.map(|due| due.unwrap_or(Blame::MAX)).fold(0, BitOr::bitor)
            } else {
                let pairs = filters.sequences(word).flat_map(|tags| tags.windows(2));
                let mut due = pairs.filter_map(|pair| {
                    self.why_apart(plan, outline, (pair[0], pair[1]), &mut cost)
                });
                due.next().unwrap_or(Blame::MAX)
            };
            blame |= due;
        }
        (blame, cost)
    }

    fn why_present(&self, plan: &Plan, tag: u32) -> Blame {
        let has = |label: &u32| plan.tags[*label as usize].contains(&tag);
        let at = self.name.labels().iter().position(has);
        at.map_or(Blame::MAX, |at| self.origins[self.owners[at] as usize])
    }

    /// Each block gives a label at least: what a choice is followed by is up to the next one, and
    /// no other comes between.
    fn why_in_a_row(&self, plan: &Plan, tags: &[u32]) -> Blame {
        let start = self.name.position(plan, tags);
        let owners = start.map(|start| &self.owners[start..start + tags.len()]);
        owners.map_or(Blame::MAX, |owners| {
            owners.iter().fold(0, |all, owner| all | self.origins[*owner as usize])
        })
    }

    /// Why nothing of the second tag will directly follow something of the first; nothing if that
    /// may be.
    fn why_apart(
        &self,
        plan: &Plan,
        outline: &Outline,
        (first, second): (u32, u32),
        cost: &mut usize,
    ) -> Option<Blame> {
        let has = |label: u32, tag: u32| plan.tags[label as usize].contains(&tag);
        let (firsts, seconds) = (outline.owners(first), outline.owners(second));
        *cost += firsts.len() * seconds.len();
        if *cost > PAIRS {
            return Some(Blame::MAX);
        }
        let mut blame = 0;
        for &second_owner in seconds {
            let labels = &head(plan, second_owner).labels;
            if labels.windows(2).any(|two| has(two[0], first) && has(two[1], second)) {
                blame |= self.why_avoided(plan, outline, second_owner)?;
            }
            if !has(labels[0], second) {
                continue;
            }
            let block = Some(outline.block(second_owner));
            for &owner in firsts.iter().filter(|owner| outline.next_block(plan, **owner) == block) {
                if head(plan, owner).labels.last().is_some_and(|&label| has(label, first)) {
                    let why = self.why_avoided(plan, outline, second_owner);
                    blame |= why.or_else(|| self.why_avoided(plan, outline, owner))?;
                }
            }
        }
        Some(blame)
    }

    /// Which choice keeps the name from going through an entry; nothing if it may go there.
    fn why_avoided(&self, plan: &Plan, outline: &Outline, entry: u32) -> Option<Blame> {
        let parted = outwards(plan, Some(entry)).filter(|entry| !self.chosen[*entry as usize]);
        let block = outline.block(parted.last()?).0 as usize;
        self.passed[block].then(|| self.bits[block])
    }
}

/// How many pairs of variants are held against one another to find out why two labels are apart.
const PAIRS: usize = 1000;
