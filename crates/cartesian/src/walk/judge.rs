//! Whether a filter matches a name of which only the beginning may be known yet.

use crate::plan::Plan;
use crate::tree::filter::{FilterId, Term};
use crate::walk::name::Name;

/// What is known about a filter while only the beginning of a name is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The filter matches, however the name goes on.
    Match,
    /// The filter cannot match any more.
    Never,
    Open,
}

/// A name so far, and what may still come.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) name: &'a Name,
    /// The tags that may still come as a set; empty when the name is complete.
    pub(crate) ahead: &'a [u64],
}

impl<'a> Judge<'a> {
    pub(crate) fn filter(self, filter: FilterId) -> Verdict {
        let mut verdict = Verdict::Never;
        for word in self.plan.tree.filters.words(filter) {
            match self.word(word) {
                Verdict::Match => return Verdict::Match,
                Verdict::Open => verdict = Verdict::Open,
                Verdict::Never => {}
            }
        }
        verdict
    }

    /// Facts about the name so far out of which the verdict follows, whatever else it holds.
    pub(crate) fn explain(self, filter: FilterId, verdict: Verdict, because: &mut impl Because) {
        let words = || self.plan.tree.filters.words(filter);
        match verdict {
            Verdict::Match => {
                let word = words().find(|word| self.word(word) == Verdict::Match);
                for &term in word.unwrap_or_default() {
                    match term {
                        Term::Tag(tag) => because.has(tag),
                        Term::Sequence(sequence) => because.sequence(sequence),
                    }
                }
            }
            Verdict::Never => {
                for word in words() {
                    let never = |term: &&Term| self.term(**term) == Verdict::Never;
                    if let Some(&term) = word.iter().find(never) {
                        self.explain_never(term, because);
                    }
                }
            }
            Verdict::Open => {}
        }
    }

    pub(crate) fn word(self, terms: &[Term]) -> Verdict {
        let mut verdict = Verdict::Match;
        for &term in terms {
            match self.term(term) {
                Verdict::Never => return Verdict::Never,
                Verdict::Open => verdict = Verdict::Open,
                Verdict::Match => {}
            }
        }
        verdict
    }

    fn term(self, term: Term) -> Verdict {
        let possible = match term {
            Term::Tag(tag) if self.name.has_tag(tag) => return Verdict::Match,
            Term::Tag(tag) => self.is_ahead(tag),
            Term::Sequence(sequence) => {
                let tags = self.tags(sequence);
                if self.name.has_sequence(self.plan, tags) {
                    return Verdict::Match;
                }
                self.is_possible(tags)
            }
        };
        if possible { Verdict::Open } else { Verdict::Never }
    }

    pub(crate) fn is_ahead(self, tag: u32) -> bool {
        self.ahead.get(tag as usize / 64).is_some_and(|word| word >> (tag % 64) & 1 == 1)
    }

    /// A sequence that is still to come ends in a label that is; what precedes that label comes
    /// as well, or is the end of the name so far.
    fn is_possible(self, tags: &[u32]) -> bool {
        let splits = |done: usize| {
            let (done, rest) = tags.split_at(done);
            rest.iter().all(|&tag| self.is_ahead(tag)) && self.name.ends_with(self.plan, done)
        };
        (0..tags.len()).any(splits)
    }

    fn tags(self, sequence: u32) -> &'a [u32] {
        &self.plan.tree.filters.sequences[sequence as usize]
    }

    fn explain_never(self, term: Term, because: &mut impl Because) {
        let sequence = match term {
            Term::Tag(tag) => return because.lacks(tag),
            Term::Sequence(sequence) => sequence,
        };
        let tags = self.tags(sequence);
        let is_complete_or_never = tags.last().is_none_or(|&last| !self.is_ahead(last));
        let lacks = |tag: &&u32| {
            !self.name.has_tag(**tag) && (is_complete_or_never || !self.is_ahead(**tag))
        };
        match tags.iter().find(lacks) {
            Some(&tag) => because.lacks(tag),
            None => because.sequence(sequence),
        }
    }
}

/// Takes the facts that a verdict follows from.
pub(crate) trait Because {
    /// It is told about every guard that was decided, not only about those that drop something.
    const IS_WHOLE: bool;
    /// The name has this tag.
    fn has(&mut self, tag: u32);
    /// The name does not have this tag.
    fn lacks(&mut self, tag: u32);
    /// The name has as much of this sequence as it has.
    fn sequence(&mut self, sequence: u32);
    /// A guard from further up is in force.
    fn guard(&mut self, guard: u32);
}
