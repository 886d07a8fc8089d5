//! The statements that hold a filter, in the order in which they are read.

use super::outline::outwards;
use crate::plan::Plan;
use crate::tree::Item;
use crate::tree::filter::FilterId;
use crate::tree::label::number;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Only,
    No,
    Join,
    Condition { negated: bool },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Statement {
    pub(super) role: Role,
    pub(super) filter: FilterId,
    /// The variant that it stands in.
    pub(super) scope: Option<u32>,
    /// The condition that it stands in.
    pub(super) within: Option<u32>,
}

pub(super) struct Statements {
    pub(super) all: Vec<Statement>,
    /// By the number of the filter. Some filters are of statements that were left out.
    by_filter: Vec<Option<u32>>,
}

impl Statements {
    pub(super) fn new(plan: &Plan) -> Self {
        let by_filter = vec![None; plan.tree.spans.filters.len()];
        let mut statements = Self { all: Vec::new(), by_filter };
        for (node, scope) in plan.tree.nodes.iter().zip(&plan.tree.spans.nodes) {
            statements.read(plan, &node.items, *scope, None);
        }
        statements
    }

    pub(super) fn of(&self, filter: FilterId) -> Option<&Statement> {
        Some(&self.all[self.by_filter[filter.0 as usize]? as usize])
    }

    /// What holds wherever the statement counts: the conditions around it.
    pub(super) fn around(&self, statement: &Statement) -> Vec<Item> {
        let outer = |index: &u32| self.all[*index as usize].within;
        std::iter::successors(statement.within, outer)
            .map(|index| self.all[index as usize].holds())
            .collect()
    }

    /// Whether a statement stands in a condition.
    pub(super) fn is_within(&self, statement: &Statement, condition: usize) -> bool {
        let outer = |index: &u32| self.all[*index as usize].within;
        std::iter::successors(statement.within, outer).any(|index| index as usize == condition)
    }

    fn read(&mut self, plan: &Plan, items: &[Item], scope: Option<u32>, within: Option<u32>) {
        for &item in items {
            let (role, filter) = match item {
                Item::Only(filter) => (Role::Only, filter),
                Item::No(filter) => (Role::No, filter),
                Item::Join(filter) => (Role::Join, filter),
                Item::When(condition) => {
                    let condition = &plan.tree.conditions[condition as usize];
                    (Role::Condition { negated: condition.negated }, condition.filter)
                }
                Item::Assign(_) | Item::Suffix(_) => continue,
            };
            let index = number(self.all.len());
            self.by_filter[filter.0 as usize] = Some(index);
            self.all.push(Statement { role, filter, scope, within });
            if let Item::When(condition) = item {
                let body = &plan.tree.conditions[condition as usize].body;
                self.read(plan, body, scope, Some(index));
            }
        }
    }
}

impl Statement {
    /// The filter as a demand: what is true of the names that it picks.
    pub(super) fn holds(&self) -> Item {
        match self.role {
            Role::Condition { negated: true } => Item::No(self.filter),
            _ => Item::Only(self.filter),
        }
    }

    /// Whether it stands in this variant, at any depth.
    pub(super) fn is_inside(&self, plan: &Plan, entry: u32) -> bool {
        outwards(plan, self.scope).any(|scope| scope == entry)
    }

    /// `only a, b`
    pub(super) fn text<'a>(&self, plan: &'a Plan) -> &'a str {
        plan.span(plan.tree.spans.filters[self.filter.0 as usize].statement)
    }
}
