//! Filters that drop the last of what there was.

use super::cause::Conflict;
use super::search::{Answer, Question, everything};
use super::statement::Role;
use super::{Finding, Lint};
use crate::tree::Item;

/// The configuration has no variant at all: which statement was the first after which there was
/// none?
pub(super) fn check_all(lint: &mut Lint) {
    let until = everything(lint.plan);
    let question = Question { through: None, demands: &[], until, selections: true };
    if lint.search.ask(&question) != Answer::Never {
        return;
    }
    if let Some(conflict) = lint.conflict(None, &[], true) {
        empties(lint, None, &conflict, "the configuration");
    }
}

/// Each word of a `join` has to give a variant.
pub(super) fn check_joins(lint: &mut Lint, dead: &[bool]) {
    for statement in &lint.statements.all {
        let is_dead = statement.scope.is_some_and(|scope| dead[scope as usize]);
        if statement.role != Role::Join || is_dead || lint.is_misspelt(statement.filter) {
            continue;
        }
        let demand = [Item::Only(statement.filter)];
        if lint.ask(statement.scope, &demand) != Answer::Never {
            continue;
        }
        let help = if lint.ask_without(statement.scope, &demand) == Answer::Never {
            Some(lint.why_never(statement.scope, statement))
        } else {
            let conflict = lint.conflict(statement.scope, &demand, false);
            let culprit = conflict.and_then(|conflict| conflict.statements.first().copied());
            culprit.map(|culprit| format!("the last ones are dropped by {}", lint.quote(&culprit)))
        };
        let words = lint.words(statement.filter);
        let at = lint.plan.tree.spans.filters[statement.filter.0 as usize].filter;
        let message = format!("nothing matches `{words}`: the `join` gives no variant");
        lint.report(Finding::LeavesNothing, at, message, help);
    }
}

/// The last statement of a conflict drops the last of the names that `of` tells.
pub(super) fn empties(lint: &mut Lint, through: Option<u32>, conflict: &Conflict, of: &str) {
    let culprit = conflict.statements[0];
    if !lint.blamed.insert(culprit.filter) || lint.is_meant(&culprit) {
        return;
    }
    let at = lint.plan.tree.spans.filters[culprit.filter.0 as usize].statement;
    let message = format!("`{}` leaves nothing of {of}", culprit.text(lint.plan));
    let help = lint.against(through, conflict);
    lint.report(Finding::LeavesNothing, at, message, help);
}
