//! Filters as tables: the words of a filter (any), the terms of a word (all, in any order), and
//! the labels of a term (directly after one another).

use crate::tree::label::{Label, Labels, number};
use rustc_hash::FxHashMap;
use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FilterId(pub(crate) u32);

/// A filter as written: words, each of terms, each of labels. One is used for one filter after
/// another.
#[derive(Clone, Default)]
pub(crate) struct Written {
    labels: Vec<Label>,
    /// For each term where its labels begin.
    terms: Vec<usize>,
    /// For each word where its terms begin.
    words: Vec<usize>,
}

impl Written {
    pub(crate) fn clear(&mut self) {
        self.labels.clear();
        self.terms.clear();
        self.words.clear();
    }

    /// Begins a word.
    pub(crate) fn word(&mut self, label: Label) {
        self.words.push(self.terms.len());
        self.term(label);
    }

    /// Begins a term of the last word.
    pub(crate) fn term(&mut self, label: Label) {
        self.terms.push(self.labels.len());
        self.labels.push(label);
    }

    /// Adds a label to the last term, and tells how many it has.
    pub(crate) fn follow(&mut self, label: Label) -> usize {
        self.labels.push(label);
        self.labels.len() - self.terms.last().copied().unwrap_or_default()
    }

    /// The words, each as its terms.
    fn words(&self) -> impl Iterator<Item = impl Iterator<Item = &[Label]>> {
        let term = |at| &self.labels[piece(&self.terms, at, self.labels.len())];
        let word = |at| piece(&self.words, at, self.terms.len());
        (0..self.words.len()).map(move |at| word(at).map(term))
    }
}

/// What begins at the start of this number, and ends where the next begins.
fn piece(starts: &[usize], number: usize, end: usize) -> Range<usize> {
    starts[number]..starts.get(number + 1).copied().unwrap_or(end)
}

/// What a word asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Term {
    /// The label with this tag.
    Tag(u32),
    /// Labels directly after one another: a number in [`Filters::sequences`].
    Sequence(u32),
}

/// All filters of a configuration, flat.
#[derive(Clone, Default)]
pub(crate) struct Filters {
    all: Vec<(u32, u32)>,
    words: Vec<(u32, u32)>,
    terms: Vec<Term>,
    /// The distinct labels that filters name; a *tag* is a number in this table.
    pub(crate) named: Labels,
    /// The distinct sequences of two tags or more.
    pub(crate) sequences: Vec<Box<[u32]>>,
    numbers: FxHashMap<Box<[u32]>, u32>,
}

impl Filters {
    pub(crate) fn add(&mut self, written: &Written) -> FilterId {
        let words_start = self.words.len();
        for word in written.words() {
            let start = number(self.terms.len());
            for labels in word {
                let term = self.term(labels);
                self.terms.push(term);
            }
            self.words.push((start, number(self.terms.len())));
        }
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

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The words of a filter, each as its terms.
    pub(crate) fn words(&self, filter: FilterId) -> impl ExactSizeIterator<Item = &[Term]> {
        let words = &self.words[range(self.all[filter.0 as usize])];
        words.iter().map(|&word| &self.terms[range(word)])
    }

    /// The terms of all words of a filter.
    pub(crate) fn terms(&self, filter: FilterId) -> &[Term] {
        match &self.words[range(self.all[filter.0 as usize])] {
            [] => &[],
            [first, .., last] => &self.terms[range((first.0, last.1))],
            [only] => &self.terms[range(*only)],
        }
    }

    /// The terms of a word as tags that follow one another.
    pub(crate) fn sequences<'a>(&'a self, word: &'a [Term]) -> impl Iterator<Item = &'a [u32]> {
        word.iter().map(|term| match term {
            Term::Tag(tag) => std::slice::from_ref(tag),
            Term::Sequence(sequence) => &self.sequences[*sequence as usize][..],
        })
    }

    fn term(&mut self, labels: &[Label]) -> Term {
        if let [label] = labels {
            return Term::Tag(self.named.intern(*label));
        }
        let tags: Box<[u32]> = labels.iter().map(|&label| self.named.intern(label)).collect();
        if let Some(&sequence) = self.numbers.get(&tags) {
            return Term::Sequence(sequence);
        }
        let sequence = number(self.sequences.len());
        self.numbers.insert(tags.clone(), sequence);
        self.sequences.push(tags);
        Term::Sequence(sequence)
    }
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}
