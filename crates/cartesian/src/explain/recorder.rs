//! Writes a key's story down while the dictionary is made.

use super::context::{self, Judged};
use super::statement;
use super::statements;
use super::step::{Effect, Step, Substitution};
use super::story::Story;
use super::watch::Watch;
use crate::bound::Bound;
use crate::dictionary::{Entry, NOWHERE};
use crate::label::Symbol;
use crate::plan::Plan;
use crate::record::{Record, State};
use crate::title::Title;
use crate::tree::{Item, NodeId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// For each assignment its node and the conditions around it.
type Owners = FxHashMap<u32, (NodeId, Vec<Judged>)>;

pub(super) struct Recorder<'a> {
    pub(super) plan: &'a Plan,
    pub(super) watch: Watch,
    /// The nodes of all paths.
    pub(super) path: Vec<NodeId>,
    /// Where the nodes of the path begin that is told now.
    begun: usize,
    parts: Vec<Part>,
    /// Where the statements come from that are told now.
    node: NodeId,
    conditions: Vec<Judged>,
    substitutions: Vec<Substitution>,
    /// The watched keys as they were after the statement before.
    keys: Vec<Key>,
    /// How many entries were looked at for watched keys.
    looked: usize,
    /// What stands around each assignment of the path, found out when it is first needed.
    owners: Option<Owners>,
}

/// A story in the making.
struct Part {
    variant: String,
    steps: Vec<(Symbol, Step)>,
    result: Vec<Key>,
}

/// A watched key at a moment.
#[derive(Clone)]
struct Key {
    /// Where it stands among all keys.
    at: usize,
    symbol: Symbol,
    /// With its suffixes.
    name: String,
    value: Arc<str>,
    operation: u32,
}

/// What is to be said of a statement, apart from what stands around it.
struct Draft {
    at: u32,
    symbol: Symbol,
    statement: String,
    operator: &'static str,
    key: String,
    before: Option<Arc<str>>,
    after: Option<Arc<str>>,
    effect: Effect,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(plan: &'a Plan, watch: Watch) -> Self {
        Self {
            plan,
            watch,
            path: Vec::new(),
            begun: 0,
            parts: Vec::new(),
            node: plan.root,
            conditions: Vec::new(),
            substitutions: Vec::new(),
            keys: Vec::new(),
            looked: 0,
            owners: None,
        }
    }

    /// The number of the story that a value comes from: the last one that ended with it.
    pub(super) fn origin(&self, operation: u32, value: Option<&str>) -> Option<usize> {
        let same = |key: &Key| key.operation == operation && Some(&*key.value) == value;
        self.parts.iter().rposition(|part| part.result.iter().any(same))
    }

    pub(super) fn stories(self) -> Vec<Story> {
        let story = |part: Part| Story {
            variant: part.variant,
            steps: part.steps.into_iter().map(|(_, step)| step).collect(),
            result: part.result.into_iter().map(|key| (key.name, key.value)).collect(),
        };
        self.parts.into_iter().map(story).collect()
    }

    /// The watched keys as they are now. Entries are never moved and never come back to life, so
    /// only those that are known and those that are new have to be looked at.
    fn look(&mut self, state: &State) -> Vec<Key> {
        let known = self.keys.iter().map(|key| key.at);
        let new =
            (self.looked..state.entries.len()).filter(|at| self.watch.has(state.entries[*at].key));
        let mut keys = Vec::new();
        for at in known.chain(new) {
            let entry = &state.entries[at];
            if !entry.live {
                continue;
            }
            let old = self.keys.iter().find(|key| key.at == at);
            let value = match old.filter(|old| old.operation == entry.operation) {
                Some(old) => old.value.clone(),
                None => state.builder.str(entry.value).into(),
            };
            let name = state.builder.written(entry);
            keys.push(Key { at, symbol: entry.key, name, value, operation: entry.operation });
        }
        self.looked = state.entries.len();
        keys
    }

    /// The value that the key has now, as the one who asked calls it.
    fn current(&self) -> Option<Arc<str>> {
        let keys = || self.keys.iter();
        let named = keys().find(|key| key.name == self.watch.key);
        named.or_else(|| keys().next()).map(|key| key.value.clone())
    }

    fn push(&mut self, draft: Draft, conditions: &[Judged], substitutions: Vec<Substitution>) {
        let step = Step {
            place: self.plan.tree.sources.place(draft.at),
            statement: draft.statement,
            operator: draft.operator,
            key: draft.key,
            context: context::around(self.plan, draft.at, self.node, conditions),
            substitutions,
            before: draft.before,
            after: draft.after,
            effect: draft.effect,
        };
        if let Some(part) = self.parts.last_mut() {
            part.steps.push((draft.symbol, step));
        }
    }

    fn push_assign(
        &mut self,
        index: u32,
        key: (Symbol, String),
        values: [Option<Arc<str>>; 2],
        effect: Effect,
    ) {
        let operation = &self.plan.tree.operations[index as usize];
        let [before, after] = values;
        let draft = Draft {
            at: operation.at,
            symbol: key.0,
            statement: statement::text(self.plan, operation),
            operator: statement::operator(self.plan, operation),
            key: key.1,
            before,
            after,
            effect,
        };
        let substitutions = std::mem::take(&mut self.substitutions);
        let conditions = self.conditions.clone();
        self.push(draft, &conditions, substitutions);
    }

    /// The statements of a condition that does not hold.
    fn push_passed(&mut self, items: &[Item], conditions: &mut Vec<Judged>) {
        let plan = self.plan;
        for item in items {
            match *item {
                Item::Assign(index) => {
                    let operation = &plan.tree.operations[index as usize];
                    let watch = &self.watch;
                    if !watch.concerns(plan, operation) && !watch.bounds(plan, operation) {
                        continue;
                    }
                    let current = self.current();
                    let draft = Draft {
                        at: operation.at,
                        symbol: self.key_of(operation.key, operation.kind.is_pattern()),
                        statement: statement::text(plan, operation),
                        operator: statement::operator(plan, operation),
                        key: self.watch.key.clone(),
                        before: current.clone(),
                        after: current,
                        effect: Effect::Condition,
                    };
                    self.push(draft, conditions, Vec::new());
                }
                Item::When(inner) => {
                    conditions.push((inner, None));
                    self.push_passed(&plan.tree.conditions[inner as usize].body, conditions);
                    conditions.pop();
                }
                Item::Only(_) | Item::No(_) | Item::Join(_) | Item::Suffix(_) => {}
            }
        }
    }

    /// The node of an assignment that had its effect, and the conditions around it.
    fn owner(&mut self, operation: u32) -> (NodeId, Vec<Judged>) {
        let owners = self.owners.get_or_insert_with(|| {
            let mut owners = Owners::default();
            for &node in &self.path[self.begun..] {
                statements::each(self.plan, node, Some(true), &mut |operation, conditions| {
                    owners.insert(operation, (node, conditions.to_vec()));
                });
            }
            owners
        });
        owners.get(&operation).cloned().unwrap_or_else(|| (self.node, Vec::new()))
    }

    /// The watched key that a statement without effect is for.
    fn key_of(&self, key: u32, is_pattern: bool) -> Symbol {
        let symbol = Symbol(key);
        if !is_pattern && self.watch.has(symbol) { symbol } else { self.watch.symbols[0] }
    }
}

impl Record for Recorder<'_> {
    fn begin(&mut self, path: &[NodeId]) {
        let variant = Title::of_path(self.plan, path).name;
        self.parts.push(Part { variant, steps: Vec::new(), result: Vec::new() });
        self.begun = self.path.len();
        self.path.extend(path);
        self.keys.clear();
        self.looked = 0;
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
        let slot = state.builder.scratch.slots[key.index()];
        let entry = match slot {
            NOWHERE => state.entries.iter().find(|entry| entry.live && entry.key == key),
            slot => state.entries.get(slot as usize),
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
        let now = self.look(state);
        let old = std::mem::replace(&mut self.keys, now.clone());
        let mut took = false;
        for key in now {
            let before = old.iter().find(|before| before.at == key.at);
            if key.operation != index || before.is_some_and(|before| before.operation == index) {
                continue;
            }
            took = true;
            let values = [before.map(|before| before.value.clone()), Some(key.value)];
            self.push_assign(index, (key.symbol, key.name), values, Effect::of(kind));
        }
        for key in old {
            if !self.keys.iter().any(|now| now.at == key.at) {
                took = true;
                let values = [Some(key.value), None];
                self.push_assign(index, (key.symbol, key.name), values, Effect::Delete);
            }
        }
        if concerns && !took {
            let current = self.current();
            let symbol = self.key_of(operation.key, kind.is_pattern());
            let key = (symbol, self.watch.key.clone());
            self.push_assign(index, key, [current.clone(), current], Effect::none_of(kind));
        }
        self.substitutions.clear();
    }

    fn suffix(&mut self, state: &State, suffix: u32) {
        let now = self.look(state);
        self.keys.clone_from(&now);
        let at = self.plan.tree.suffixes[suffix as usize].at;
        let conditions = self.conditions.clone();
        for key in now {
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
        let slot = state.builder.scratch.slots[bounded.index()] as usize;
        let known = self.keys.iter_mut().find(|key| key.at == slot);
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
        let result = self.look(state);
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
