//! From a path to keys and values.
//!
//! The assignments of a path are applied from its end, which is the beginning of the text, to
//! the root. Keys are small numbers here: where a key stands is looked up in a table, not in a
//! hash map, and the table is reused from variant to variant.

use crate::filter::Verdict;
use crate::label::{Symbol, number};
use crate::operation::{Kind, Operation};
use crate::plan::{NO_TAG, Name, Plan};
use crate::source::Span;
use crate::title::Title;
use crate::tree::{Item, NodeId};
use crate::walk::Leaf;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt::Write;

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
struct Entry {
    key: Symbol,
    suffix: u32,
    value: Text,
    operation: u32,
    live: bool,
}

/// Where a key with its suffixes stands among joined entries.
type Known = FxHashMap<(Symbol, u32), usize>;

const NOWHERE: u32 = u32::MAX;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch::new()) };
}

/// Tables that are as long as a configuration is large; cleaned after use, never freed.
struct Scratch {
    /// For each key without a suffix where its entry is.
    slots: Vec<u32>,
    present: Vec<u32>,
    labels: Vec<u32>,
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

struct Builder<'a> {
    plan: &'a Plan,
    scratch: &'a mut Scratch,
    own: String,
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
        let mut part =
            Part { builder: self, path, title: None, entries: Vec::new(), suffixed: false };
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
            if entry.suffix != 0 {
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
    fn written(&self, entry: &Entry) -> String {
        let mut name = self.plan.tree.strings.text(entry.key).to_owned();
        let mut suffix = entry.suffix;
        while suffix != 0 {
            let (outermost, rest) = self.suffixes[suffix as usize - 1];
            name.push_str(self.plan.tree.strings.text(outermost));
            suffix = rest;
        }
        name
    }

    fn str(&self, text: Text) -> &str {
        match text {
            Text::Source(span) => self.plan.span(span),
            Text::Own(span) => &self.own[span.start as usize..span.end() as usize],
            Text::Key(symbol) => self.plan.tree.strings.text(symbol),
        }
    }

    fn suffix(&mut self, outermost: Symbol, rest: u32) -> u32 {
        let list = (outermost, rest);
        let known = self.suffixes.iter().position(|known| *known == list);
        let index = known.unwrap_or_else(|| {
            self.suffixes.push(list);
            self.suffixes.len() - 1
        });
        number(index + 1)
    }

    fn push_own(&mut self, text: Text) {
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

/// One path at work.
struct Part<'a, 'b> {
    builder: &'a mut Builder<'b>,
    path: &'a [NodeId],
    /// Made when a value asks for it.
    title: Option<Title>,
    entries: Vec<Entry>,
    suffixed: bool,
}

impl Part<'_, '_> {
    fn apply(&mut self, items: &[Item]) {
        for &item in items {
            match item {
                Item::Assign(operation) => self.assign(operation),
                Item::When(condition) => {
                    let condition = &self.builder.plan.tree.conditions[condition as usize];
                    let name = Name {
                        plan: self.builder.plan,
                        labels: &self.builder.scratch.labels,
                        present: &self.builder.scratch.present,
                        ahead: &[],
                    };
                    let filters = &self.builder.plan.tree.filters;
                    let matches = filters.judge(condition.filter, &name) == Verdict::Match;
                    if matches != condition.negated {
                        self.apply(&condition.body);
                    }
                }
                Item::Suffix(suffix) => self.add_suffix(suffix),
                Item::Only(_) | Item::No(_) | Item::Join(_) => {}
            }
        }
    }

    fn assign(&mut self, index: u32) {
        let plan = self.builder.plan;
        let operation = &plan.tree.operations[index as usize];
        if operation.kind.is_pattern() {
            self.assign_pattern(index, operation);
            return;
        }
        let key = Symbol(operation.key);
        let slot = self.builder.scratch.slots[key.index()];
        if slot == NOWHERE {
            if operation.kind != Kind::Delete {
                let value = self.value(operation);
                self.insert(key, value, index);
            }
            return;
        }
        match operation.kind {
            Kind::Lazy => {}
            Kind::Delete => {
                self.entries[slot as usize].live = false;
                self.builder.scratch.slots[key.index()] = NOWHERE;
            }
            kind => {
                let value = self.value(operation);
                self.change(slot as usize, kind, value, index);
            }
        }
    }

    fn assign_pattern(&mut self, index: u32, operation: &Operation) {
        let plan = self.builder.plan;
        let pattern = &plan.tree.patterns[operation.key as usize];
        let mut value = None;
        for at in 0..self.entries.len() {
            let entry = self.entries[at];
            let matches = entry.live
                && match entry.suffix {
                    0 => pattern.matches(entry.key, &plan.tree.strings),
                    _ => pattern.matches_text(&self.builder.written(&entry), &plan.tree.strings),
                };
            if matches {
                let value = *value.get_or_insert_with(|| self.value(operation));
                self.change(at, operation.kind, value, index);
            }
        }
    }

    fn insert(&mut self, key: Symbol, value: Text, operation: u32) {
        self.builder.scratch.slots[key.index()] = number(self.entries.len());
        self.entries.push(Entry { key, suffix: 0, value, operation, live: true });
    }

    fn change(&mut self, at: usize, kind: Kind, value: Text, operation: u32) {
        let old = self.entries[at].value;
        let new = match kind {
            Kind::Append | Kind::PatternAppend => self.concatenate(old, value),
            Kind::Prepend | Kind::PatternPrepend => self.concatenate(value, old),
            Kind::Set | Kind::Lazy | Kind::PatternSet | Kind::Delete => value,
        };
        self.entries[at].value = new;
        self.entries[at].operation = operation;
    }

    fn concatenate(&mut self, first: Text, second: Text) -> Text {
        let start = self.builder.own.len();
        self.builder.push_own(first);
        self.builder.push_own(second);
        self.own_since(start)
    }

    fn own_since(&self, start: usize) -> Text {
        let len = number(self.builder.own.len() - start);
        Text::Own(Span { start: number(start), len })
    }

    /// The value of an assignment, with its `${key}`s replaced up to the first unknown one.
    fn value(&mut self, operation: &Operation) -> Text {
        let Some(template) = operation.template else { return Text::Source(operation.value) };
        let plan = self.builder.plan;
        let template = &plan.tree.templates[template as usize];
        let start = self.builder.own.len();
        for (at, &(before, key)) in template.holes.iter().enumerate() {
            self.builder.own.push_str(plan.span(before));
            if !self.push_value_of(key) {
                if at == 0 {
                    self.builder.own.truncate(start);
                    return Text::Source(operation.value);
                }
                let (from, end) = (before.end(), operation.value.end());
                let rest = Span { start: from, len: end - from };
                self.builder.own.push_str(plan.span(rest));
                return self.own_since(start);
            }
        }
        self.builder.own.push_str(plan.span(template.rest));
        self.own_since(start)
    }

    fn push_value_of(&mut self, key: Symbol) -> bool {
        let slot = self.builder.scratch.slots[key.index()];
        if slot != NOWHERE {
            let value = self.entries[slot as usize].value;
            self.builder.push_own(value);
            return true;
        }
        if let Some(value) = self.suffixed.then(|| self.agreed(key)).flatten() {
            self.builder.push_own(value);
            return true;
        }
        self.push_title(key)
    }

    /// The value of a key that has suffixes, if it has the same one with all of them.
    fn agreed(&self, key: Symbol) -> Option<Text> {
        let mut values = self.entries.iter().filter(|e| e.live && e.key == key).map(|e| e.value);
        let first = values.next()?;
        let same = |other| self.builder.str(other) == self.builder.str(first);
        values.all(same).then_some(first)
    }

    fn push_title(&mut self, key: Symbol) -> bool {
        let plan = self.builder.plan;
        let known = &plan.known;
        if ![known.name, known.shortname, known.dep].contains(&Some(key)) {
            return false;
        }
        let title = self.title.get_or_insert_with(|| Title::of_path(plan, self.path));
        let own = &mut self.builder.own;
        if known.name == Some(key) {
            own.push_str(&title.name);
        } else if known.shortname == Some(key) {
            own.push_str(&title.shortname);
        } else {
            for (at, dep) in title.dep.iter().enumerate() {
                let separator = if at == 0 { "[" } else { ", " };
                let _ = write!(own, "{separator}'{dep}'");
            }
            own.push_str(if title.dep.is_empty() { "[]" } else { "]" });
        }
        true
    }

    /// Everything that is there gets the suffix.
    fn add_suffix(&mut self, suffix: Symbol) {
        self.suffixed = true;
        for entry in self.entries.iter_mut().filter(|entry| entry.live) {
            self.builder.scratch.slots[entry.key.index()] = NOWHERE;
            entry.suffix = self.builder.suffix(suffix, entry.suffix);
        }
    }

    /// `X_min`, `X_max` and `X_fixed` count against the value that X had before any of them.
    fn apply_bounds(&mut self) {
        let plan = self.builder.plan;
        let mut results: Vec<(Symbol, Text, u32)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.live && entry.suffix == 0) {
            let Some((bound, base)) = plan.bounds[entry.key.index()] else { continue };
            let slot = self.builder.scratch.slots[base.index()];
            let replaces = slot == NOWHERE || {
                let old = self.builder.str(self.entries[slot as usize].value);
                bound.replaces(old, self.builder.str(entry.value))
            };
            if replaces {
                results.push((base, entry.value, entry.operation));
            }
        }
        for (base, value, operation) in results {
            match self.builder.scratch.slots[base.index()] {
                NOWHERE => self.insert(base, value, operation),
                slot => self.change(slot as usize, Kind::Set, value, operation),
            }
        }
    }
}
