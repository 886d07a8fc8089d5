//! From a path to keys and values.
//!
//! The assignments of a path are applied from its end, which is the beginning of the text, to
//! the root. Keys are small numbers here: where a key stands is looked up in a table, not in a
//! hash map, and the table is reused from variant to variant.

use crate::plan::Plan;
use crate::tree::NodeId;
use crate::tree::label::{Symbol, number};
use crate::tree::source::Span;
use crate::variant::begun::Begun;
use crate::variant::part::Part;
use crate::variant::piece::Piece;
use crate::variant::record::Record;
use crate::variant::slots::Slots;
use crate::walk::Leaf;
use crate::walk::name::Name;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

/// The keys and values of a variant.
pub(crate) struct Dictionary {
    /// The numbers of their suffixes mean an index into `keys`, plus one.
    pub(crate) entries: Vec<Entry>,
    /// Keys that have suffixes, written out.
    keys: Vec<String>,
    /// Texts that stand in no source.
    own: String,
}

/// A piece of the sources, or of a dictionary's own texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Source(Span),
    Own(Span),
}

impl Dictionary {
    pub(crate) fn of(plan: &Plan, leaf: &Leaf) -> Self {
        Self::recorded(plan, leaf, &mut ())
    }

    /// Tells `recorder` how it came about.
    pub(crate) fn recorded(plan: &Plan, leaf: &Leaf, recorder: &mut impl Record) -> Self {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.fit(plan);
            let builder =
                Builder { plan, scratch, own: String::new(), suffixes: Suffixes::default() };
            builder.build(leaf, recorder)
        })
    }

    pub(crate) fn key<'a>(&'a self, plan: &'a Plan, entry: &Entry) -> &'a str {
        match entry.suffix {
            0 => plan.tree.strings.text(entry.key),
            suffix => &self.keys[suffix as usize - 1],
        }
    }

    pub(crate) fn value<'a>(&'a self, plan: &'a Plan, entry: &Entry) -> &'a str {
        match entry.value {
            Text::Source(span) => plan.span(span),
            Text::Own(span) => &self.own[span.start as usize..span.end() as usize],
        }
    }
}

/// For whoever knows pieces again.
impl Dictionary {
    pub(crate) fn key_piece<'a>(&'a self, plan: &'a Plan, entry: &Entry) -> Piece<'a> {
        let number = (entry.suffix == 0).then(|| entry.key.index() as u64);
        Piece { text: self.key(plan, entry), number }
    }

    pub(crate) fn value_piece<'a>(&'a self, plan: &'a Plan, entry: &Entry) -> Piece<'a> {
        let number = match entry.value {
            Text::Source(Span { start, len }) => Some(u64::from(start) << 32 | u64::from(len)),
            Text::Own(_) => None,
        };
        Piece { text: self.value(plan, entry), number }
    }
}

/// A key at work: its name, and the suffixes that it has got so far (0: none).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Symbol,
    pub(crate) suffix: u32,
    pub(crate) value: Text,
    pub(crate) operation: u32,
    pub(crate) live: bool,
}

/// What is known about the entries of one key with different suffixes.
struct Family {
    /// The value of the key without a suffix.
    plain: Option<Text>,
    first: Text,
    /// All have the same value.
    agree: bool,
}

/// Where a key with its suffixes stands among joined entries.
type Known = FxHashMap<(Symbol, u32), usize>;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// Tables that are as long as a configuration is large; cleaned after use, never freed.
pub(crate) struct Scratch {
    /// For each key without a suffix where its entry is.
    pub(crate) slots: Slots,
    pub(crate) name: Name,
    /// What beginnings led to, of this plan and others.
    pub(crate) begun: Vec<Begun>,
    /// How many entries the last path had.
    pub(crate) entry_count: usize,
}

/// Beginnings that are kept.
const BEGUN: usize = 16;

impl Scratch {
    const fn new() -> Self {
        Self { slots: Slots::new(), name: Name::new(), begun: Vec::new(), entry_count: 0 }
    }

    fn fit(&mut self, plan: &Plan) {
        self.name.fit(plan);
    }

    pub(crate) fn keep(&mut self, begun: Begun) {
        if self.begun.len() >= BEGUN {
            self.begun.clear();
        }
        self.begun.push(begun);
    }
}

pub(crate) struct Builder<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) own: String,
    suffixes: Suffixes,
}

/// Suffixes as lists: the outermost, and the number of the rest; 0 is the empty list.
#[derive(Default)]
struct Suffixes {
    lists: Vec<(Symbol, u32)>,
    numbers: FxHashMap<(Symbol, u32), u32>,
}

impl Builder<'_> {
    fn build(mut self, leaf: &Leaf, recorder: &mut impl Record) -> Dictionary {
        let mut entries = Vec::new();
        match leaf {
            Leaf::Path(path) => entries = self.path(path, recorder),
            Leaf::Joined(_) => self.joined(leaf, &mut entries, &mut Known::default(), recorder),
        }
        let keys = self.write_suffixes(&mut entries);
        Dictionary { entries, keys, own: self.own }
    }

    fn joined(
        &mut self,
        leaf: &Leaf,
        entries: &mut Vec<Entry>,
        known: &mut Known,
        recorder: &mut impl Record,
    ) {
        match leaf {
            Leaf::Joined(leaves) => {
                for leaf in leaves {
                    self.joined(leaf, entries, known, recorder);
                }
            }
            Leaf::Path(path) => {
                for entry in self.path(path, recorder) {
                    let at = *known.entry((entry.key, entry.suffix)).or_insert(entries.len());
                    match entries.get_mut(at) {
                        Some(old) => *old = entry,
                        None => entries.push(entry),
                    }
                }
            }
        }
    }

    fn path(&mut self, path: &[NodeId], recorder: &mut impl Record) -> Vec<Entry> {
        let plan = self.plan;
        self.scratch.slots.clear(plan.tree.strings.len());
        for &node in path {
            for &label in &plan.tree.node(node).head.labels {
                self.scratch.name.push(plan, label);
            }
        }
        let mut part = Part::new(self, path, recorder);
        for &node in path.iter().rev() {
            part.apply_node(node);
        }
        part.apply_bounds();
        let entries = part.finish();
        self.scratch.entry_count = entries.len();
        self.scratch.name.truncate(plan, 0);
        entries
    }

    /// Puts keys without suffixes first, then those with, written out where they have to be.
    fn write_suffixes(&self, entries: &mut Vec<Entry>) -> Vec<String> {
        let mut keys = Vec::new();
        if entries.iter().all(|entry| entry.suffix == 0) {
            return keys;
        }
        let suffixed: Vec<Entry> = entries.extract_if(.., |entry| entry.suffix != 0).collect();
        let mut families: FxHashMap<Symbol, Family> = FxHashMap::default();
        for entry in &suffixed {
            let new = Family { plain: None, first: entry.value, agree: true };
            let family = families.entry(entry.key).or_insert(new);
            family.agree &= self.str(entry.value) == self.str(family.first);
        }
        let mut known: FxHashMap<String, usize> = FxHashMap::default();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(family) = families.get_mut(&entry.key) {
                family.plain = Some(entry.value);
            }
            known.insert(self.plan.tree.strings.text(entry.key).to_owned(), at);
        }
        for entry in suffixed {
            let family = &families[&entry.key];
            let (written, suffix) = match family.plain {
                Some(plain) if self.str(plain) == self.str(entry.value) => continue,
                None if family.agree => (self.plan.tree.strings.text(entry.key).to_owned(), 0),
                _ => {
                    keys.push(self.written(&entry));
                    (self.written(&entry), number(keys.len()))
                }
            };
            let entry = Entry { suffix, ..entry };
            if let Some(&at) = known.get(&written) {
                entries[at] = entry;
            } else {
                known.insert(written, entries.len());
                entries.push(entry);
            }
        }
        keys
    }

    /// The key with its suffixes.
    pub(crate) fn written(&self, entry: &Entry) -> String {
        let mut name = self.plan.tree.strings.text(entry.key).to_owned();
        let mut suffix = entry.suffix;
        while suffix != 0 {
            let (outermost, rest) = self.suffixes.lists[suffix as usize - 1];
            name.push_str(self.plan.tree.strings.text(outermost));
            suffix = rest;
        }
        name
    }

    pub(crate) fn str(&self, text: Text) -> &str {
        match text {
            Text::Source(span) => self.plan.span(span),
            Text::Own(span) => &self.own[span.start as usize..span.end() as usize],
        }
    }

    pub(crate) fn suffix(&mut self, outermost: Symbol, rest: u32) -> u32 {
        let Suffixes { lists, numbers } = &mut self.suffixes;
        *numbers.entry((outermost, rest)).or_insert_with(|| {
            lists.push((outermost, rest));
            number(lists.len())
        })
    }

    pub(crate) fn push_own(&mut self, text: Text) {
        match text {
            Text::Source(span) => self.own.push_str(self.plan.span(span)),
            Text::Own(span) => {
                self.own.extend_from_within(span.start as usize..span.end() as usize);
            }
        }
    }
}
