//! The assignments of one path, applied in order.

use crate::limits;
use crate::plan::beginning::Beginning;
use crate::tree::label::{Symbol, number};
use crate::tree::operation::{Kind, Operation, Pattern};
use crate::tree::source::Span;
use crate::tree::{Condition, Item, NodeId};
use crate::variant::begun::Begun;
use crate::variant::dictionary::{Builder, Entry, Text};
use crate::variant::record::{Record, State};
use crate::variant::title;
use std::fmt::Write;

/// One path at work.
pub(crate) struct Part<'a, 'b, R> {
    builder: &'a mut Builder<'b>,
    path: &'a [NodeId],
    entries: Vec<Entry>,
    /// Entries whose keys bound others.
    bounding: Vec<u32>,
    /// Some entries do not live any more.
    has_gone: bool,
    suffixed: bool,
    recorder: &'a mut R,
}

/// What a recorder is shown of a part.
macro_rules! state {
    ($part:ident) => {
        &State { builder: $part.builder, entries: &$part.entries }
    };
}

impl<'a, 'b, R: Record> Part<'a, 'b, R> {
    pub(crate) fn new(
        builder: &'a mut Builder<'b>,
        path: &'a [NodeId],
        recorder: &'a mut R,
    ) -> Self {
        recorder.begin(path);
        let entries = Vec::with_capacity(builder.scratch.entry_count);
        Self {
            builder,
            path,
            entries,
            bounding: Vec::new(),
            has_gone: false,
            suffixed: false,
            recorder,
        }
    }

    /// The statements of a node of the path.
    pub(crate) fn apply_node(&mut self, node: NodeId) {
        match &self.builder.plan.beginning {
            Some(beginning) if beginning.node == node && self.is_new() => self.begin(beginning),
            _ => self.apply_each(node),
        }
    }

    /// Nothing was applied, and nobody looks on: what others found out can be taken over.
    fn is_new(&self) -> bool {
        !R::LOOKS && self.entries.is_empty() && self.builder.own.is_empty()
    }

    fn begin(&mut self, beginning: &Beginning) {
        let plan = self.builder.plan;
        let mut held = 0_u64;
        for (bit, &condition) in beginning.conditions.iter().enumerate() {
            let condition = &plan.tree.conditions[condition as usize];
            held |= u64::from(self.holds(condition)) << bit;
        }
        let key = (plan.number, held);
        let known = self.builder.scratch.begun.iter().position(|begun| begun.key == key);
        if let Some(at) = known {
            let Begun { entries, own, bounding, has_gone, .. } = &self.builder.scratch.begun[at];
            self.entries.extend_from_slice(entries);
            self.builder.own.push_str(own);
            self.bounding.extend_from_slice(bounding);
            self.has_gone = *has_gone;
            for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.live) {
                self.builder.scratch.slots.set(entry.key, at);
            }
            return;
        }
        self.apply_each(beginning.node);
        let begun = Begun {
            key,
            entries: self.entries.clone(),
            own: self.builder.own.clone(),
            bounding: self.bounding.clone(),
            has_gone: self.has_gone,
        };
        self.builder.scratch.keep(begun);
    }

    fn holds(&self, condition: &Condition) -> bool {
        let Builder { plan, scratch, .. } = &*self.builder;
        scratch.name.matches(plan, condition.filter) != condition.negated
    }

    fn apply_each(&mut self, node: NodeId) {
        self.recorder.node(node);
        self.apply(&self.builder.plan.tree.node(node).items);
    }

    fn apply(&mut self, items: &[Item]) {
        for &item in items {
            match item {
                Item::Assign(operation) => {
                    self.assign(operation);
                    self.recorder.assign(state!(self), operation);
                }
                Item::When(index) => {
                    let condition = &self.builder.plan.tree.conditions[index as usize];
                    let holds = self.holds(condition);
                    self.recorder.condition(state!(self), index, holds);
                    if holds {
                        self.apply(&condition.body);
                        self.recorder.end_condition();
                    }
                }
                Item::Suffix(suffix) => {
                    self.add_suffix(self.builder.plan.tree.suffixes[suffix as usize].word);
                    self.recorder.suffix(state!(self), suffix);
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
        let at = self.builder.scratch.slots.get(key);
        match (operation.kind, at) {
            (Kind::Lazy, Some(_)) | (Kind::Delete, None) => {}
            (Kind::Delete, Some(at)) => {
                self.entries[at].live = false;
                self.has_gone = true;
                self.builder.scratch.slots.remove(key);
            }
            (kind, at) => {
                let Some(value) = self.value(operation) else { return };
                match at {
                    Some(at) => self.change(at, kind, value, index),
                    None => self.insert(key, value, index),
                }
            }
        }
    }

    fn assign_pattern(&mut self, index: u32, operation: &Operation) {
        let plan = self.builder.plan;
        let pattern = &plan.tree.patterns[operation.key as usize];
        if let Pattern::Literal(key) = pattern
            && !self.suffixed
        {
            let Some(at) = self.builder.scratch.slots.get(*key) else { return };
            if let Some(value) = self.value(operation) {
                self.change(at, operation.kind, value, index);
            }
            return;
        }
        let mut value = None;
        for at in 0..self.entries.len() {
            let entry = self.entries[at];
            let matches = entry.live
                && match entry.suffix {
                    0 => pattern.matches(entry.key, &plan.tree.strings),
                    _ => pattern.matches_text(&self.builder.written(&entry), &plan.tree.strings),
                };
            if matches {
                let Some(value) = *value.get_or_insert_with(|| self.value(operation)) else {
                    return;
                };
                self.change(at, operation.kind, value, index);
            }
        }
    }

    fn insert(&mut self, key: Symbol, value: Text, operation: u32) {
        self.builder.scratch.slots.set(key, self.entries.len());
        if self.builder.plan.bounds[key.index()].is_some() {
            self.bounding.push(number(self.entries.len()));
        }
        self.entries.push(Entry { key, suffix: 0, value, operation, live: true });
    }

    fn change(&mut self, at: usize, kind: Kind, value: Text, operation: u32) {
        let old = self.entries[at].value;
        let new = match kind {
            Kind::Append | Kind::PatternAppend => self.append(old, value).unwrap_or(old),
            Kind::Prepend | Kind::PatternPrepend => self.concatenate(value, old).unwrap_or(old),
            Kind::Set | Kind::Lazy | Kind::PatternSet | Kind::Delete => value,
        };
        self.entries[at].value = new;
        self.entries[at].operation = operation;
    }

    /// Many `+=` in a row write each value once.
    fn append(&mut self, first: Text, second: Text) -> Option<Text> {
        match first {
            Text::Own(first) if first.end() as usize == self.builder.own.len() => {
                let more = self.builder.str(second).len();
                if self.builder.own.len() + more > limits::VALUE_BYTES {
                    return None;
                }
                self.builder.push_own(second);
                Some(self.own_since(first.start as usize))
            }
            _ => self.concatenate(first, second),
        }
    }

    /// `None` if there is no room.
    fn concatenate(&mut self, first: Text, second: Text) -> Option<Text> {
        let start = self.builder.own.len();
        let more = self.builder.str(first).len() + self.builder.str(second).len();
        if start + more > limits::VALUE_BYTES {
            return None;
        }
        self.builder.push_own(first);
        self.builder.push_own(second);
        Some(self.own_since(start))
    }

    fn own_since(&self, start: usize) -> Text {
        let len = number(self.builder.own.len() - start);
        Text::Own(Span { start: number(start), len })
    }

    /// The value of an assignment, with its `${key}`s replaced up to the first unknown one; `None`
    /// if there is no room.
    fn value(&mut self, operation: &Operation) -> Option<Text> {
        let Some(template) = operation.template else { return Some(Text::Source(operation.value)) };
        let plan = self.builder.plan;
        let template = &plan.tree.templates[template as usize];
        let start = self.builder.own.len();
        for (at, &(before, key)) in template.holes.iter().enumerate() {
            self.builder.own.push_str(plan.span(before));
            let value_start = self.builder.own.len();
            let found = self.push_value_of(key);
            let value = found.then(|| &self.builder.own[value_start..]);
            self.recorder.substitute(state!(self), key, value);
            if !found {
                if at == 0 {
                    self.builder.own.truncate(start);
                    return Some(Text::Source(operation.value));
                }
                let (from, end) = (before.end(), operation.value.end());
                let rest = Span { start: from, len: end - from };
                self.builder.own.push_str(plan.span(rest));
                return Some(self.own_since(start));
            }
            if self.builder.own.len() > limits::VALUE_BYTES {
                self.builder.own.truncate(start);
                return None;
            }
        }
        self.builder.own.push_str(plan.span(template.rest));
        Some(self.own_since(start))
    }

    fn push_value_of(&mut self, key: Symbol) -> bool {
        if let Some(at) = self.builder.scratch.slots.get(key) {
            let value = self.entries[at].value;
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
        let own = &mut self.builder.own;
        if known.name == Some(key) {
            own.push_str(&title::name_of(plan, self.path));
        } else if known.shortname == Some(key) {
            own.push_str(&title::shortname_of(plan, self.path));
        } else if known.dep == Some(key) {
            let deps = title::deps_of(plan, self.path);
            for (at, dep) in deps.iter().enumerate() {
                let separator = if at == 0 { "[" } else { ", " };
                let _ = write!(own, "{separator}'{dep}'");
            }
            own.push_str(if deps.is_empty() { "[]" } else { "]" });
        } else {
            return false;
        }
        true
    }

    /// Everything that is there gets the suffix.
    fn add_suffix(&mut self, suffix: Symbol) {
        self.suffixed = true;
        for entry in self.entries.iter_mut().filter(|entry| entry.live) {
            self.builder.scratch.slots.remove(entry.key);
            entry.suffix = self.builder.suffix(suffix, entry.suffix);
        }
    }

    /// `X_min`, `X_max` and `X_fixed` count against the value that X had before any of them.
    pub(crate) fn apply_bounds(&mut self) {
        let plan = self.builder.plan;
        let mut results: Vec<(Symbol, Text, u32)> = Vec::new();
        for &at in &self.bounding {
            let entry = &self.entries[at as usize];
            let bound = plan.bounds[entry.key.index()].filter(|_| entry.live && entry.suffix == 0);
            let Some((bound, base)) = bound else { continue };
            let bounded = self.builder.scratch.slots.get(base);
            let replaces = bounded.is_none_or(|bounded| {
                let old = self.builder.str(self.entries[bounded].value);
                bound.replaces(old, self.builder.str(entry.value))
            });
            self.recorder.bound(state!(self), entry, base, replaces);
            if replaces {
                results.push((base, entry.value, entry.operation));
            }
        }
        for (base, value, operation) in results {
            match self.builder.scratch.slots.get(base) {
                None => self.insert(base, value, operation),
                Some(at) => self.change(at, Kind::Set, value, operation),
            }
        }
        self.recorder.end(state!(self));
    }

    /// What is there in the end.
    pub(crate) fn finish(mut self) -> Vec<Entry> {
        if self.has_gone {
            self.entries.retain(|entry| entry.live);
        }
        self.entries
    }
}
