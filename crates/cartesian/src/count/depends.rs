//! Which parts of a name a result depends on.

use crate::plan::Plan;
use crate::tree::filter::Term;
use crate::tree::label::number;
use crate::walk::judge::Because;
use crate::walk::name::Name;
use rustc_hash::FxHashMap;

/// A stack of sets of tags and sequences, as bits: one set for each level that is being counted.
#[derive(Clone)]
pub(crate) struct Depends<'a> {
    plan: &'a Plan,
    words: Vec<u64>,
    /// Words of a set.
    width: usize,
}

impl<'a> Depends<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        let bits = plan.tag_count + plan.tree.filters.sequences.len();
        Self { plan, words: Vec::new(), width: bits.div_ceil(64) }
    }

    /// Begins an empty set.
    pub(crate) fn push(&mut self) {
        self.words.resize(self.words.len() + self.width, 0);
    }

    /// Ends a set; what it holds goes into the one before, if there is one.
    pub(crate) fn pop(&mut self) {
        let start = self.words.len() - self.width;
        let (rest, last) = self.words.split_at_mut(start);
        if let Some(before) = start.checked_sub(self.width) {
            include(&mut rest[before..], last);
        }
        self.words.truncate(start);
    }

    /// Takes in a set.
    pub(crate) fn add(&mut self, set: &[u64]) {
        include(self.last_mut(), set);
    }

    /// The level has a label with this tag itself: what is above does not matter.
    pub(crate) fn remove(&mut self, tag: u32) {
        self.last_mut()[tag as usize / 64] &= !(1 << (tag % 64));
    }

    /// The set that was begun last.
    pub(crate) fn last(&self) -> &[u64] {
        &self.words[self.words.len().saturating_sub(self.width)..]
    }

    fn last_mut(&mut self) -> &mut [u64] {
        let start = self.words.len().saturating_sub(self.width);
        &mut self.words[start..]
    }

    fn insert(&mut self, bit: usize) {
        self.last_mut()[bit / 64] |= 1 << (bit % 64);
    }
}

impl Because for Depends<'_> {
    const IS_WHOLE: bool = true;

    fn has(&mut self, tag: u32) {
        self.insert(tag as usize);
    }

    fn lacks(&mut self, tag: u32) {
        self.insert(tag as usize);
    }

    fn sequence(&mut self, sequence: u32) {
        self.insert(self.plan.tag_count + sequence as usize);
    }

    // Which guards are open is told apart from this.
    fn guard(&mut self, _guard: u32) {}
}

/// A set that was kept.
pub(crate) struct Support {
    pub(crate) set: Box<[u64]>,
    terms: Vec<Term>,
}

impl Support {
    pub(crate) fn new(plan: &Plan, set: &[u64]) -> Self {
        let mut support = Self { set: set.into(), terms: Vec::new() };
        support.spread(plan);
        support
    }

    /// Takes in another set; false if nothing was new.
    pub(crate) fn grow(&mut self, plan: &Plan, more: &[u64]) -> bool {
        let grows = self.set.iter().zip(more).any(|(word, more)| more & !word != 0);
        if grows {
            include(&mut self.set, more);
            self.spread(plan);
        }
        grows
    }

    /// What the name says to each term of the set: equal for names that mean the same.
    pub(crate) fn key(&self, plan: &Plan, name: &Name) -> Key {
        let mut key = Key { small: 0, large: Vec::new() };
        let mut used = 0;
        let mut push = |value: u32, bits: u32| {
            if used + bits > 64 {
                key.large.push(std::mem::take(&mut key.small));
                used = 0;
            }
            key.small |= u64::from(value) << used;
            used += bits;
        };
        for &term in &self.terms {
            match term {
                Term::Tag(tag) => push(u32::from(name.has_tag(tag)), 1),
                Term::Sequence(sequence) => {
                    let progress = name.progress(plan, sequence, name.labels().len());
                    push(progress, 32);
                }
            }
        }
        if !key.large.is_empty() {
            key.large.push(key.small);
        }
        key
    }

    fn spread(&mut self, plan: &Plan) {
        self.terms.clear();
        for (at, &word) in self.set.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let bit = at * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                self.terms.push(match bit.checked_sub(plan.tag_count) {
                    Some(sequence) => Term::Sequence(number(sequence)),
                    None => Term::Tag(number(bit)),
                });
            }
        }
    }
}

/// What a number is kept under.
pub(crate) struct Key {
    small: u64,
    large: Vec<u64>,
}

/// Numbers by keys, which are small nearly always.
#[derive(Default)]
pub(crate) struct Numbers {
    small: FxHashMap<u64, u64>,
    large: FxHashMap<Box<[u64]>, u64>,
}

impl Numbers {
    pub(crate) fn get(&self, key: &Key) -> Option<u64> {
        match key.large.as_slice() {
            [] => self.small.get(&key.small).copied(),
            large => self.large.get(large).copied(),
        }
    }

    pub(crate) fn insert(&mut self, key: Key, number: u64) {
        if key.large.is_empty() {
            self.small.insert(key.small, number);
        } else {
            self.large.insert(key.large.into(), number);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.small.len() + self.large.len()
    }

    pub(crate) fn clear(&mut self) {
        self.small.clear();
        self.large.clear();
    }
}

fn include(set: &mut [u64], more: &[u64]) {
    for (word, more) in set.iter_mut().zip(more) {
        *word |= more;
    }
}
