//! Variants that no name goes through.

use super::leaves_nothing::empties;
use super::outline::{head, outwards};
use super::search::Answer;
use super::{Finding, Lint};

/// For each variant whether no name goes through it.
pub(super) fn check(lint: &mut Lint) -> Vec<bool> {
    let mut dead: Vec<bool> = Vec::new();
    for entry in 0..lint.outline.len() {
        let outer = lint.plan.tree.spans.entries[entry as usize].outer;
        let inherits = outer.is_some_and(|outer| dead[outer as usize]);
        let is_dead = inherits
            || (!lint.search.was_seen_alive(entry) && lint.ask(Some(entry), &[]) == Answer::Never);
        dead.push(is_dead);
        if is_dead && !inherits {
            tell(lint, entry);
        }
    }
    dead
}

fn tell(lint: &mut Lint, entry: u32) {
    let Some(conflict) = lint.conflict(Some(entry), &[], false) else { return };
    let culprit = conflict.statements[0];
    if culprit.is_inside(lint.plan, entry) {
        // The last names of a variant were those through the one inside that the culprit is in.
        let name = culprit.scope.map_or_else(String::new, |scope| lint.path(scope));
        empties(lint, Some(entry), &conflict, &format!("`{name}`"));
        return;
    }
    // A variant may take what it needs out of a file that lists more.
    let is_around = outwards(lint.plan, Some(entry)).any(|scope| culprit.scope == Some(scope));
    if (is_around && culprit.within.is_none()) || lint.is_misspelt(culprit.filter) {
        return;
    }
    lint.blamed.insert(culprit.filter);
    let at = head(lint.plan, entry).at;
    let message = format!("every name through `{}` is dropped", lint.path(entry));
    let help = format!("the last ones by {}", lint.quote(&culprit));
    lint.report(Finding::DroppedVariant, at, message, help);
}
