//! What the recorder makes of what it hears.

use super::recorder::{Draft, Part, Recorder};
use super::statement;
use super::step::{Effect, Substitution};
use crate::plan::bound::Bound;
use crate::tree::NodeId;
use crate::tree::label::Symbol;
use crate::tree::operation::Kind;
use crate::variant::dictionary::Entry;
use crate::variant::record::{Record, State};
use crate::variant::title;
use std::sync::Arc;

impl Record for Recorder<'_> {
    fn begin(&mut self, path: &[NodeId]) {
        let variant = title::name_of(self.plan, path);
        self.parts.push(Part { variant, steps: Vec::new(), result: Vec::new() });
        self.begun = self.path.len();
        self.path.extend(path);
        self.keys.forget();
        self.owners = None;
    }

    fn node(&mut self, node: NodeId) {
        self.node = node;
    }

    fn condition(&mut self, _: &State, condition: u32, holds: bool) {
        if holds {
            self.conditions.push((condition, Some(true)));
            return;
        }
        let mut conditions = self.conditions.clone();
        conditions.push((condition, Some(false)));
        let plan = self.plan;
        self.push_passed(&plan.tree.conditions[condition as usize].body, &mut conditions);
    }

    fn end_condition(&mut self) {
        self.conditions.pop();
    }

    fn substitute(&mut self, state: &State, key: Symbol, value: Option<&str>) {
        let slot = state.builder.scratch.slots.get(key);
        let entry = match slot {
            None => state.entries.iter().find(|entry| entry.live && entry.key == key),
            Some(at) => state.entries.get(at),
        };
        let entry = entry.filter(|_| value.is_some());
        self.substitutions.push(Substitution {
            key: self.plan.tree.strings.text(key).to_owned(),
            value: value.map(str::to_owned),
            place: entry.map(|entry| statement::place(self.plan, entry.operation)),
        });
    }

    fn assign(&mut self, state: &State, index: u32) {
        let operation = &self.plan.tree.operations[index as usize];
        let kind = operation.kind;
        let concerns = self.watch.concerns(self.plan, operation);
        if !concerns && !kind.is_pattern() {
            self.substitutions.clear();
            return;
        }
        let old = self.keys.look(&self.watch, state);
        let mut took = false;
        for key in self.keys.list.clone() {
            let before = old.iter().find(|before| before.at == key.at);
            if key.operation != index || before.is_some_and(|before| before.operation == index) {
                continue;
            }
            took = true;
            let values = [before.map(|before| before.value.clone()), Some(key.value)];
            self.push_assign(index, (key.symbol, key.name), values, Effect::of(kind));
        }
        for key in old {
            if !self.keys.list.iter().any(|now| now.at == key.at) {
                took = true;
                let values = [Some(key.value), None];
                self.push_assign(index, (key.symbol, key.name), values, Effect::Delete);
            }
        }
        if concerns && !took {
            let current = self.keys.current(&self.watch);
            let symbol = self.key_of(operation.key, kind.is_pattern());
            let key = (symbol, self.watch.key.clone());
            let effect = match kind {
                Kind::Lazy if current.is_some() => Effect::HasValue,
                Kind::Delete => Effect::NoKey,
                _ if kind.is_pattern() && !self.is_matched(operation) => Effect::NoKey,
                _ => Effect::NoRoom,
            };
            self.push_assign(index, key, [current.clone(), current], effect);
        }
        self.substitutions.clear();
    }

    fn suffix(&mut self, state: &State, suffix: u32) {
        self.keys.look(&self.watch, state);
        let at = self.plan.tree.suffixes[suffix as usize].at;
        let conditions = self.conditions.clone();
        for key in self.keys.list.clone() {
            let draft = Draft {
                at: at.start,
                symbol: key.symbol,
                statement: self.plan.span(at).to_owned(),
                operator: "suffix",
                key: key.name,
                before: Some(key.value.clone()),
                after: Some(key.value),
                effect: Effect::Suffix,
            };
            self.push(draft, &conditions, Vec::new());
        }
    }

    fn bound(&mut self, state: &State, limit: &Entry, bounded: Symbol, replaces: bool) {
        if !self.watch.has(bounded) {
            return;
        }
        let plan = self.plan;
        let value: Arc<str> = state.builder.str(limit.value).into();
        let slot = state.builder.scratch.slots.get(bounded);
        let known = self.keys.list.iter_mut().find(|key| Some(key.at) == slot);
        let before = known.as_ref().map(|key| key.value.clone());
        let limit_key = plan.tree.strings.text(limit.key).to_owned();
        let (after, effect) = if replaces {
            if let Some(known) = known {
                known.value = value.clone();
            }
            (Some(value), Effect::Bound { limit: limit_key })
        } else {
            (before.clone(), Effect::WithinBound { limit: limit_key, value: value.as_ref().into() })
        };
        let operation = &plan.tree.operations[limit.operation as usize];
        let draft = Draft {
            at: operation.at,
            symbol: bounded,
            statement: statement::text(plan, operation),
            operator: match plan.bounds[limit.key.index()] {
                Some((Bound::Min, _)) => "_min",
                Some((Bound::Fixed, _)) => "_fixed",
                _ => "_max",
            },
            key: plan.tree.strings.text(bounded).to_owned(),
            before,
            after,
            effect,
        };
        let (node, conditions) = self.owner(limit.operation);
        self.node = node;
        self.push(draft, &conditions, Vec::new());
    }

    fn end(&mut self, state: &State) {
        self.keys.look(&self.watch, state);
        let result = std::mem::take(&mut self.keys.list);
        let mut others: Vec<Symbol> = self.watch.symbols.clone();
        // A key that no suffix made the wanted one is none of it.
        others.retain(|&symbol| {
            !self.watch.is_key(self.plan, symbol)
                && !result.iter().any(|key| key.symbol == symbol && key.name == self.watch.key)
        });
        if let Some(part) = self.parts.last_mut() {
            part.steps.retain(|(symbol, _)| !others.contains(symbol));
            part.result = result;
            part.result.retain(|key| !others.contains(&key.symbol));
        }
    }
}
