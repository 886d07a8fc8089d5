//! From a path to keys and values.
//!
//! The assignments of a path are applied from its end, which is the beginning of the text, to
//! the root. Keys are small numbers here: where a key stands is looked up in a table, not in a
//! hash map, and the table is reused from variant to variant.

use crate::label::{Symbol, number};
use crate::part::Part;
use crate::plan::{NO_TAG, Plan};
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
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.fit(plan);
            let builder = Builder { plan, scratch, own: String::new(), suffixes: Vec::new() };
            builder.build(leaf)
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
    pub(crate) present: Vec<u32>,
    pub(crate) labels: Vec<u32>,
}

impl Scratch {
    const fn new() -> Self {
        Self { slots: Vec::new(), present: Vec::new(), labels: Vec::new() }
    }

    fn fit(&mut self, plan: &Plan) {
        if self.slots.len() < plan.tree.strings.len() {
            self.slots.resize(plan.tree.strings.len(), NOWHERE);
        }
        self.present.clear();
        self.present.resize(plan.tag_count, 0);
    }
}

pub(crate) struct Builder<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) own: String,
    /// Suffixes as lists: the outermost, and the number of the rest plus one.
    suffixes: Vec<(Symbol, u32)>,
}

impl Builder<'_> {
    fn build(mut self, leaf: &Leaf) -> Dictionary {
        let mut entries = Vec::new();
        match leaf {
            Leaf::Path(path) => entries = self.path(path),
            Leaf::Joined(_) => self.joined(leaf, &mut entries, &mut Known::default()),
        }
        let fields = self.fields(&entries);
        Dictionary { fields, own: self.own }
    }

    fn joined(&mut self, leaf: &Leaf, entries: &mut Vec<Entry>, known: &mut Known) {
        match leaf {
            Leaf::Joined(leaves) => {
                for leaf in leaves {
                    self.joined(leaf, entries, known);
                }
            }
            Leaf::Path(path) => {
                for entry in self.path(path) {
                    let at = *known.entry((entry.key, entry.suffix)).or_insert(entries.len());
                    match entries.get_mut(at) {
                        Some(old) => *old = entry,
                        None => entries.push(entry),
                    }
                }
            }
        }
    }

    fn path(&mut self, path: &[NodeId]) -> Vec<Entry> {
        let plan = self.plan;
        self.scratch.labels.clear();
        for &node in path {
            for &label in &plan.tree.node(node).head.labels {
                self.scratch.labels.push(label);
                for &tag in plan.tags[label as usize].iter().filter(|&&tag| tag != NO_TAG) {
                    self.scratch.present[tag as usize] += 1;
                }
            }
        }
        let mut part = Part::new(self, path);
        for &node in path.iter().rev() {
            part.apply(&plan.tree.node(node).items);
        }
        part.apply_bounds();
        let mut entries = part.entries;
        for entry in &entries {
            self.scratch.slots[entry.key.index()] = NOWHERE;
        }
        self.scratch.present.fill(0);
        entries.retain(|entry| entry.live);
        entries
    }

    /// Entries with their suffixes written out, where they have to be.
    fn fields(&mut self, entries: &[Entry]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::with_capacity(entries.len());
        // From then on a key may be there already: `k` with the suffix `_a` is written like `k_a`.
        let mut suffixed = false;
        for (at, entry) in entries.iter().enumerate() {
            let key = if entry.suffix == 0 {
                Text::Key(entry.key)
            } else {
                let mut rivals = entries.iter().filter(|other| other.key == entry.key);
                let same = |other: &Entry| self.str(other.value) == self.str(entry.value);
                let plain = rivals.clone().find(|other| other.suffix == 0);
                let first = entries[..at].iter().all(|other| other.key != entry.key);
                match plain {
                    Some(plain) if same(plain) => continue,
                    None if rivals.all(same) && first => Text::Key(entry.key),
                    None if rivals_agree(entries, entry.key, |value| self.str(value)) => continue,
                    _ => self.suffixed(entry),
                }
            };
            let field = Field { key, value: entry.value, operation: entry.operation };
            suffixed |= entry.suffix != 0;
            if suffixed {
                let name = self.str(key).to_owned();
                if let Some(old) = fields.iter_mut().find(|old| self.str(old.key) == name) {
                    *old = field;
                    continue;
                }
            }
            fields.push(field);
        }
        fields
    }

    fn suffixed(&mut self, entry: &Entry) -> Text {
        let name = self.written(entry);
        let start = number(self.own.len());
        self.own.push_str(&name);
        Text::Own(Span { start, len: number(name.len()) })
    }

    /// The key with its suffixes.
    pub(crate) fn written(&self, entry: &Entry) -> String {
        let mut name = self.plan.tree.strings.text(entry.key).to_owned();
        let mut suffix = entry.suffix;
        while suffix != 0 {
            let (outermost, rest) = self.suffixes[suffix as usize - 1];
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
        let list = (outermost, rest);
        let known = self.suffixes.iter().position(|known| *known == list);
        let index = known.unwrap_or_else(|| {
            self.suffixes.push(list);
            self.suffixes.len() - 1
        });
        number(index + 1)
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

fn rivals_agree<'a>(entries: &[Entry], key: Symbol, text: impl Fn(Text) -> &'a str) -> bool {
    let mut values = entries.iter().filter(|e| e.key == key).map(|entry| text(entry.value));
    let first = values.next();
    values.all(|value| Some(value) == first)
}
