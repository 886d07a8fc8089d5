//! Conditions that can never hold, and `no` that can drop nothing.

use super::leaves_nothing::empties;
use super::outline::outwards;
use super::search::Answer;
use super::statement::{Role, Statement};
use super::{Finding, Lint};
use crate::tree::Item;

pub(super) fn check(lint: &mut Lint, dead: &[bool]) {
    let mut never = vec![false; lint.statements.all.len()];
    for (index, statement) in lint.statements.all.iter().enumerate() {
        if statement.scope.is_some_and(|scope| dead[scope as usize]) {
            continue;
        }
        if statement.within.is_some_and(|outer| never[outer as usize]) {
            never[index] = true;
            continue;
        }
        match statement.role {
            Role::Condition { negated } => {
                never[index] = (!negated && lint.is_misspelt(statement.filter))
                    || condition(lint, index, statement);
            }
            Role::No if !lint.is_misspelt(statement.filter) => no(lint, statement),
            Role::No | Role::Only | Role::Join => {}
        }
    }
}

fn condition(lint: &mut Lint, index: usize, statement: &Statement) -> bool {
    let mut demands = lint.statements.around(statement);
    demands.push(statement.holds());
    if lint.ask(statement.scope, &demands) != Answer::Never {
        return false;
    }
    let text = statement.text(lint.plan);
    let message = format!("`{text}` never holds here");
    if lint.ask_without(statement.scope, &demands) == Answer::Never {
        let help = match statement.role {
            Role::Condition { negated: true } => "every name here matches the filter".to_owned(),
            _ => lint.why_never(statement.scope, statement),
        };
        report(lint, statement, message, help);
        return true;
    }
    let Some(conflict) = lint.conflict(statement.scope, &demands, false) else { return true };
    let culprit = conflict.statements[0];
    if lint.statements.is_within(&culprit, index) {
        empties(lint, statement.scope, &conflict, &format!("what `{text}` holds for"));
    } else if !is_told(lint, &culprit) && !is_taken_out(lint, statement, &culprit) {
        let others: Vec<String> =
            conflict.statements.iter().map(|other| lint.quote(other)).collect();
        let help = format!("what matches is dropped by {}", others.join(" and "));
        report(lint, statement, message, help);
    }
    true
}

fn no(lint: &mut Lint, statement: &Statement) {
    let mut demands = lint.statements.around(statement);
    demands.push(Item::Only(statement.filter));
    if lint.ask_without(statement.scope, &demands) == Answer::Never {
        let message = format!("`{}` drops nothing", statement.text(lint.plan));
        let help = lint.why_never(statement.scope, statement);
        report(lint, statement, message, help);
    }
}

/// Whether the culprit is a finding already.
fn is_told(lint: &Lint, culprit: &Statement) -> bool {
    lint.blamed.contains(&culprit.filter) || lint.is_misspelt(culprit.filter)
}

/// Whether the culprit narrows what another file had to say for more: that file is right.
fn is_taken_out(lint: &Lint, statement: &Statement, culprit: &Statement) -> bool {
    let file = |statement: &Statement| {
        let span = lint.plan.tree.spans.filters[statement.filter.0 as usize].filter;
        lint.plan.tree.sources.file_at(span.start)
    };
    let is_around = culprit.scope.is_none()
        || outwards(lint.plan, statement.scope).any(|scope| culprit.scope == Some(scope));
    is_around && file(statement) != file(culprit)
}

fn report(lint: &mut Lint, statement: &Statement, message: String, help: String) {
    let spans = lint.plan.tree.spans.filters[statement.filter.0 as usize];
    lint.report(Finding::NeverHolds, spans.statement, message, help);
}
