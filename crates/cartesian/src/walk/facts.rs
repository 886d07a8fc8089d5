//! Why nothing came out of a level, while the walk is on it.

use crate::walk::judge::Because;
use crate::walk::trail::{Mark, Trail};

/// Something that held where a variant was dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fact {
    /// The name has a label with this tag.
    Has(u32),
    /// It has none.
    Lacks(u32),
    /// It has as much of this sequence as [`Name::progress`] tells.
    Sequence(u32, u32),
    /// A guard from further up is in force: [`Guard::number`](crate::plan::Guard::number).
    Guard(u32),
}

/// The facts out of which it follows that nothing came out of the levels so far.
#[derive(Clone, Default)]
pub(crate) struct Facts {
    all: Vec<Fact>,
    /// It depends on something else as well.
    is_unknown: bool,
}

/// Where the facts of a level begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsMark {
    start: usize,
    is_unknown: bool,
}

impl Facts {
    pub(crate) fn mark(&mut self) -> FactsMark {
        let is_unknown = std::mem::take(&mut self.is_unknown);
        FactsMark { start: self.all.len(), is_unknown }
    }

    pub(crate) fn add(&mut self, facts: &[Fact]) {
        self.all.extend_from_slice(facts);
    }

    /// All of them, if nothing else matters.
    pub(crate) fn whole(&self) -> Option<&[Fact]> {
        (!self.is_unknown).then_some(&self.all)
    }

    pub(crate) fn add_unknown(&mut self) {
        self.is_unknown = true;
    }

    /// Something came out of the level: there is nothing to give reasons for.
    pub(crate) fn forget(&mut self, mark: FactsMark) {
        self.all.truncate(mark.start);
        self.is_unknown = mark.is_unknown;
    }
}

impl Because for Facts {
    const IS_WHOLE: bool = false;

    fn has(&mut self, tag: u32) {
        self.all.push(Fact::Has(tag));
    }

    fn lacks(&mut self, tag: u32) {
        self.all.push(Fact::Lacks(tag));
    }

    fn sequence(&mut self, sequence: u32) {
        // How much of it the name has depends on the level, and is put in when one ends.
        self.all.push(Fact::Sequence(sequence, 0));
    }

    fn guard(&mut self, guard: u32) {
        self.all.push(Fact::Guard(guard));
    }
}

impl Trail<'_, Facts> {
    /// Nothing came out of the level: leaves those of its facts that concern what is above it,
    /// and gives them back if they are all that it depends on.
    pub(crate) fn conclude(&mut self, mark: Mark, begin: FactsMark) -> Option<&[Fact]> {
        let Self { plan, name, begun, because: Facts { all, is_unknown }, .. } = self;
        for fact in &mut all[begin.start..] {
            if let Fact::Sequence(sequence, progress) = fact {
                *progress = name.progress(plan, *sequence, mark.labels);
            }
        }
        let is_own = |fact: Fact| match fact {
            Fact::Has(tag) => {
                let labels = &name.labels()[mark.labels..];
                labels.iter().any(|label| plan.tags[*label as usize].contains(&tag))
            }
            Fact::Guard(guard) => begun[mark.begun..].contains(&guard),
            Fact::Lacks(_) | Fact::Sequence(..) => false,
        };
        all[begin.start..].sort_unstable();
        let mut kept = begin.start;
        for at in begin.start..all.len() {
            let fact = all[at];
            let is_new = kept == begin.start || all[kept - 1] != fact;
            if is_new && !is_own(fact) {
                all[kept] = fact;
                kept += 1;
            }
        }
        all.truncate(kept);
        let is_known = !*is_unknown;
        *is_unknown |= begin.is_unknown;
        is_known.then_some(&all[begin.start..])
    }
}
