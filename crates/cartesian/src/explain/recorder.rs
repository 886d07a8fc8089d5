//! Writes a key's story down while the dictionary is made.

use super::context::{self, Judged};
use super::keys::{Key, Keys};
use super::statement;
use super::statements;
use super::step::{Effect, Step, Substitution};
use super::story::Story;
use super::watch::Watch;
use crate::plan::Plan;
use crate::tree::label::Symbol;
use crate::tree::operation::Operation;
use crate::tree::{Item, NodeId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// For each assignment its node and the conditions around it.
pub(super) type Owners = FxHashMap<u32, (NodeId, Vec<Judged>)>;

pub(super) struct Recorder<'a> {
    pub(super) plan: &'a Plan,
    pub(super) watch: Watch,
    /// The nodes of all paths.
    pub(super) path: Vec<NodeId>,
    /// Where the nodes of the path begin that is told now.
    pub(super) begun: usize,
    pub(super) parts: Vec<Part>,
    /// Where the statements come from that are told now.
    pub(super) node: NodeId,
    pub(super) conditions: Vec<Judged>,
    pub(super) substitutions: Vec<Substitution>,
    /// The watched keys as they were after the statement before.
    pub(super) keys: Keys,
    /// What stands around each assignment of the path, found out when it is first needed.
    pub(super) owners: Option<Owners>,
}

/// A story in the making.
pub(super) struct Part {
    pub(super) variant: String,
    pub(super) steps: Vec<(Symbol, Step)>,
    pub(super) result: Vec<Key>,
}

/// What is to be said of a statement, apart from what stands around it.
pub(super) struct Draft {
    pub(super) at: u32,
    pub(super) symbol: Symbol,
    pub(super) statement: String,
    pub(super) operator: &'static str,
    pub(super) key: String,
    pub(super) before: Option<Arc<str>>,
    pub(super) after: Option<Arc<str>>,
    pub(super) effect: Effect,
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
            keys: Keys::new(),
            owners: None,
        }
    }

    /// The number of the story that a value comes from: the last one that ended with it.
    pub(super) fn origin(&self, operation: u32) -> Option<usize> {
        let find = |is_it: &dyn Fn(&Key) -> bool| {
            self.parts.iter().rposition(|part| part.result.iter().any(is_it))
        };
        let same = |key: &Key| key.operation == operation;
        let named = |key: &Key| same(key) && key.name == self.watch.key;
        // Where all have the same value, the key has it without the suffix.
        find(&named).or_else(|| find(&same))
    }

    pub(super) fn stories(self) -> Vec<Story> {
        let story = |part: Part| Story {
            variant: part.variant,
            steps: part.steps.into_iter().map(|(_, step)| step).collect(),
            result: part.result.into_iter().map(|key| (key.name, key.value)).collect(),
        };
        self.parts.into_iter().map(story).collect()
    }

    pub(super) fn push(
        &mut self,
        draft: Draft,
        conditions: &[Judged],
        substitutions: Vec<Substitution>,
    ) {
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

    pub(super) fn push_assign(
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
    pub(super) fn push_passed(&mut self, items: &[Item], conditions: &mut Vec<Judged>) {
        let plan = self.plan;
        for item in items {
            match *item {
                Item::Assign(index) => {
                    let operation = &plan.tree.operations[index as usize];
                    let watch = &self.watch;
                    if !watch.concerns(plan, operation) && !watch.bounds(plan, operation) {
                        continue;
                    }
                    let current = self.keys.current(&self.watch);
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
    pub(super) fn owner(&mut self, operation: u32) -> (NodeId, Vec<Judged>) {
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

    /// Whether the regular expression of an assignment matches a watched key that is there.
    pub(super) fn is_matched(&self, operation: &Operation) -> bool {
        let pattern = &self.plan.tree.patterns[operation.key as usize];
        let strings = &self.plan.tree.strings;
        self.keys.list.iter().any(|key| pattern.matches_text(&key.name, strings))
    }

    /// The watched key that a statement without effect is for.
    pub(super) fn key_of(&self, key: u32, is_pattern: bool) -> Symbol {
        let symbol = Symbol(key);
        if !is_pattern && self.watch.has(symbol) { symbol } else { self.watch.symbols[0] }
    }
}
