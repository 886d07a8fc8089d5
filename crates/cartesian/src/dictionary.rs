//! From a path to keys and values.
//!
//! The assignments of a path are applied from its end, which is the beginning of the text, to
//! the root. Keys are small numbers here: where a key stands is looked up in a table, not in a
//! hash map, and the table is reused from variant to variant.

use crate::label::{Symbol, number};
use crate::name::Name;
use crate::part::Part;
use crate::plan::Plan;
use crate::record::Record;
use crate::source::Span;
use crate::tree::NodeId;
use crate::walk::Leaf;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

/// The keys and values of a variant.
pub(crate) struct Dictionary {
    pub(crate) fields: Vec<Field>,
    /// Texts that stand in no source.
    own: String,
}

/// One key and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) key: Text,
    pub(crate) value: Text,
    /// The assignment that gave the value.
    pub(crate) operation: u32,
}

/// A piece of the sources, or of a dictionary's own texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    Source(Span),
    Own(Span),
    Key(Symbol),
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

    pub(crate) fn text<'a>(&'a self, plan: &'a Plan, text: Text) -> &'a str {
        match text {
            Text::Source(span) => plan.span(span),
            Text::Own(span) => &self.own[span.start as usize..span.end() as usize],
            Text::Key(symbol) => plan.tree.strings.text(symbol),
        }
    }
}

/// A key at work: its name, and the suffixes that it has got so far (0: none).
#[derive(Clone, Copy)]
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

pub(crate) const NOWHERE: u32 = u32::MAX;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// Tables that are as long as a configuration is large; cleaned after use, never freed.
pub(crate) struct Scratch {
    /// For each key without a suffix where its entry is.
    pub(crate) slots: Vec<u32>,
    pub(crate) name: Name,
}

impl Scratch {
    const fn new() -> Self {
        Self { slots: Vec::new(), name: Name::new() }
    }

    fn fit(&mut self, plan: &Plan) {
        if self.slots.len() < plan.tree.strings.len() {
            self.slots.resize(plan.tree.strings.len(), NOWHERE);
        }
        self.name.fit(plan);
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
        let fields = self.fields(&entries);
        Dictionary { fields, own: self.own }
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
        let mut entries = part.entries;
        for entry in &entries {
            self.scratch.slots[entry.key.index()] = NOWHERE;
        }
        self.scratch.name.truncate(plan, 0);
        entries.retain(|entry| entry.live);
        entries
    }

    /// Keys without suffixes first, then those with, written out where they have to be.
    fn fields(&mut self, entries: &[Entry]) -> Vec<Field> {
        let field =
            |key, entry: &Entry| Field { key, value: entry.value, operation: entry.operation };
        let (plain, suffixed): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.suffix == 0);
        let mut fields: Vec<Field> =
            plain.iter().map(|entry| field(Text::Key(entry.key), entry)).collect();
        if suffixed.is_empty() {
            return fields;
        }
        let mut families: FxHashMap<Symbol, Family> = FxHashMap::default();
        for entry in &suffixed {
            let new = Family { plain: None, first: entry.value, agree: true };
            let family = families.entry(entry.key).or_insert(new);
            family.agree &= self.str(entry.value) == self.str(family.first);
        }
        let mut known: FxHashMap<String, usize> = FxHashMap::default();
        for (at, entry) in plain.iter().enumerate() {
            if let Some(family) = families.get_mut(&entry.key) {
                family.plain = Some(entry.value);
            }
            known.insert(self.plan.tree.strings.text(entry.key).to_owned(), at);
        }
        for entry in suffixed {
            let family = &families[&entry.key];
            let (written, text) = match family.plain {
                Some(plain) if self.str(plain) == self.str(entry.value) => continue,
                None if family.agree => {
                    (self.plan.tree.strings.text(entry.key).to_owned(), Text::Key(entry.key))
                }
                _ => self.suffixed(entry),
            };
            let new = field(text, entry);
            if let Some(&at) = known.get(&written) {
                fields[at] = new;
            } else {
                known.insert(written, fields.len());
                fields.push(new);
            }
        }
        fields
    }

    fn suffixed(&mut self, entry: &Entry) -> (String, Text) {
        let name = self.written(entry);
        let start = number(self.own.len());
        self.own.push_str(&name);
        let text = Text::Own(Span { start, len: number(name.len()) });
        (name, text)
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
            Text::Key(symbol) => self.plan.tree.strings.text(symbol),
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
            Text::Key(symbol) => self.own.push_str(self.plan.tree.strings.text(symbol)),
        }
    }
}
