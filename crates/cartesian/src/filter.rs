//! Filters as tables: the words of a filter (any), their sequences (all, in any order), and the
//! labels of a sequence (directly after one another).

use crate::label::{Label, Labels, number};
use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FilterId(pub(crate) u32);

/// What is known about a filter while only the beginning of a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The filter matches, however the name goes on.
    Match,
    /// The filter cannot match any more.
    Never,
    Open,
}

/// A filter as written: words, each of sequences, each of labels.
pub(crate) type Written = Vec<Vec<Vec<Label>>>;

/// All filters of a configuration, flat.
#[derive(Clone, Default)]
pub(crate) struct Filters {
    all: Vec<(u32, u32)>,
    words: Vec<(u32, u32)>,
    sequences: Vec<(u32, u32)>,
    tags: Vec<u32>,
    /// The distinct labels that filters name; a *tag* is a number in this table.
    pub(crate) named: Labels,
}

/// What evaluation needs to know about the name so far.
pub(crate) trait Scope {
    /// The tag is that of a label of the name so far.
    fn present(&self, tag: u32) -> bool;
    /// The tag may still come.
    fn ahead(&self, tag: u32) -> bool;
    /// How many labels the name so far has.
    fn len(&self) -> usize;
    /// The label at this position of the name so far has this tag.
    fn has(&self, position: usize, tag: u32) -> bool;
}

impl Filters {
    pub(crate) fn add(&mut self, written: &Written) -> FilterId {
        let words_start = self.words.len();
        // The ranges of a level are contiguous only when its elements are laid down first.
        let mut words = Vec::with_capacity(written.len());
        for word in written {
            let mut sequences = Vec::with_capacity(word.len());
            for sequence in word {
                let start = number(self.tags.len());
                for &label in sequence {
                    let tag = self.named.intern(label);
                    self.tags.push(tag);
                }
                sequences.push((start, number(self.tags.len())));
            }
            let start = number(self.sequences.len());
            self.sequences.append(&mut sequences);
            words.push((start, number(self.sequences.len())));
        }
        self.words.append(&mut words);
        self.all.push((number(words_start), number(self.words.len())));
        FilterId(number(self.all.len() - 1))
    }

    /// One filter for each word of this one.
    pub(crate) fn split(&mut self, filter: FilterId) -> Vec<FilterId> {
        let words = range(self.all[filter.0 as usize]);
        let single = |word: usize| (number(word), number(word + 1));
        words
            .map(|word| {
                self.all.push(single(word));
                FilterId(number(self.all.len() - 1))
            })
            .collect()
    }

    pub(crate) fn judge(&self, filter: FilterId, scope: &impl Scope) -> Verdict {
        let mut verdict = Verdict::Never;
        for &word in &self.words[range(self.all[filter.0 as usize])] {
            match self.judge_word(word, scope) {
                Verdict::Match => return Verdict::Match,
                Verdict::Open => verdict = Verdict::Open,
                Verdict::Never => {}
            }
        }
        verdict
    }

    /// The words of a filter: any of them.
    pub(crate) fn words(&self, filter: FilterId) -> &[(u32, u32)] {
        &self.words[range(self.all[filter.0 as usize])]
    }

    /// The sequences of a word: all of them. Each is of tags that follow one another.
    pub(crate) fn sequences(&self, word: (u32, u32)) -> impl Iterator<Item = &[u32]> {
        self.sequences[range(word)].iter().map(|&sequence| &self.tags[range(sequence)])
    }

    pub(crate) fn judge_word(&self, word: (u32, u32), scope: &impl Scope) -> Verdict {
        let mut verdict = Verdict::Match;
        for &sequence in &self.sequences[range(word)] {
            match judge_sequence(&self.tags[range(sequence)], scope) {
                Verdict::Never => return Verdict::Never,
                Verdict::Open => verdict = Verdict::Open,
                Verdict::Match => {}
            }
        }
        verdict
    }
}

fn judge_sequence(tags: &[u32], scope: &impl Scope) -> Verdict {
    let (&first, &last) = match tags {
        [] => return Verdict::Match,
        [tag] if scope.present(*tag) => return Verdict::Match,
        [first, .., last] => (first, last),
        [tag] => (tag, tag),
    };
    if tags.len() > 1 && tags.iter().all(|&tag| scope.present(tag)) {
        let starts = (0..(scope.len() + 1).saturating_sub(tags.len()))
            .filter(|&start| scope.has(start, first));
        for start in starts {
            if tags.iter().enumerate().all(|(i, &tag)| scope.has(start + i, tag)) {
                return Verdict::Match;
            }
        }
    }
    // A later match ends in a label that is still to come; what precedes that label is
    // either to come as well or the end of the name so far.
    if !scope.ahead(last) {
        return Verdict::Never;
    }
    let straddles = |done: usize| {
        done <= scope.len()
            && tags[..done]
                .iter()
                .enumerate()
                .all(|(i, &tag)| scope.has(scope.len() - done + i, tag))
            && tags[done..].iter().all(|&tag| scope.ahead(tag))
    };
    if (0..tags.len()).any(straddles) { Verdict::Open } else { Verdict::Never }
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}
