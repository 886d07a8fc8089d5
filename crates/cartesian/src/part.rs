//! The assignments of one path, applied in order.

use crate::dictionary::{Builder, Entry, NOWHERE, Text};
use crate::filter::Verdict;
use crate::label::{Symbol, number};
use crate::operation::{Kind, Operation};
use crate::plan::Name;
use crate::source::Span;
use crate::title::Title;
use crate::tree::{Item, NodeId};
use std::fmt::Write;

/// One path at work.
pub(crate) struct Part<'a, 'b> {
    builder: &'a mut Builder<'b>,
    path: &'a [NodeId],
    /// Made when a value asks for it.
    title: Option<Title>,
    pub(crate) entries: Vec<Entry>,
    suffixed: bool,
}

impl<'a, 'b> Part<'a, 'b> {
    pub(crate) fn new(builder: &'a mut Builder<'b>, path: &'a [NodeId]) -> Self {
        Self { builder, path, title: None, entries: Vec::new(), suffixed: false }
    }

    pub(crate) fn apply(&mut self, items: &[Item]) {
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
                Item::Suffix(suffix) => {
                    self.add_suffix(self.builder.plan.tree.suffixes[suffix as usize].word);
                }
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
    pub(crate) fn apply_bounds(&mut self) {
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
