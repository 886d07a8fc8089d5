//! What a text says that its author hardly meant.
//!
//! A finding is a proof: where it would take too long to find one, nothing is told. Statements
//! that every name has to pass (`only boot` outside of all variants) are taken for a choice of
//! the day: what they leave out is no finding.

mod ambiguity;
mod cause;
mod dropped_variant;
mod duplicate_variant;
mod empty_condition;
mod facts;
mod label;
mod leaves_nothing;
mod matches_no_key;
mod names;
mod never_holds;
mod outline;
mod overwritten;
mod reading;
mod search;
mod statement;
#[cfg(test)]
mod tests;
mod trailing_comment;
mod unknown_dependency;
mod unknown_label;
mod unknown_value;
mod unread_key;
mod unset_key;

use crate::finding::Finding;

use crate::diagnostic::{Diagnostic, Severity};
use crate::limits;
use crate::plan::Plan;
use crate::tree::filter::FilterId;
use crate::tree::label::number;
use crate::tree::source::{Sources, Span};
use crate::tree::{Item, Tree};
use outline::Outline;
use rustc_hash::FxHashSet;
use search::{Answer, Question, Search, everything};
use statement::Statements;

/// A configuration under examination.
pub(crate) struct Lint<'a> {
    plan: &'a Plan,
    outline: &'a Outline,
    statements: &'a Statements,
    search: Search<'a>,
    found: Vec<Found>,
    /// The filters of statements that were told to leave nothing: what follows from that is not
    /// told again.
    blamed: FxHashSet<FilterId>,
}

struct Found {
    finding: Finding,
    at: Span,
    message: String,
    help: Option<String>,
}

/// Everything that is found without knowing what values mean.
pub(crate) fn all(plan: &Plan) -> Vec<Diagnostic> {
    let outline = Outline::new(plan);
    let statements = Statements::new(plan);
    let search = Search::new(plan, &outline);
    let (outline, statements) = (&outline, &statements);
    let mut lint =
        Lint { plan, outline, statements, search, found: Vec::new(), blamed: FxHashSet::default() };
    for found in slips(&plan.tree, |_| true) {
        lint.report(found.finding, found.at, found.message, found.help);
    }
    unknown_dependency::check(&mut lint);
    overwritten::check(&mut lint);
    matches_no_key::check(&mut lint);
    unset_key::check(&mut lint);
    trailing_comment::check(&mut lint);
    leaves_nothing::check_all(&mut lint);
    // Where no name is left, each statement would be to blame.
    if lint.ask(None, &[]) != Answer::Never {
        let dead = dropped_variant::check(&mut lint);
        never_holds::check(&mut lint, &dead);
        leaves_nothing::check_joins(&mut lint, &dead);
        duplicate_variant::check(&mut lint, &dead);
    }
    told(plan, lint.found)
}

/// Assignments of values to `key` that are not `known`.
pub(crate) fn unknown_values(
    plan: &Plan,
    key: &str,
    known: &[&str],
    what: &str,
) -> Vec<Diagnostic> {
    told(plan, unknown_value::check(plan, key, known, what))
}

/// What filters say that was hardly meant, in the sources of one name.
pub(crate) fn slips_in(tree: &Tree, source: &str) -> Vec<Diagnostic> {
    let mut found = slips(tree, is_in(&tree.sources, source));
    found.sort_by_key(|found| found.at.start);
    found.into_iter().map(|found| found.told(&tree.sources)).collect()
}

/// What is said of the keys that the sources of one name set or delete.
pub(crate) fn keys_in(
    tree: &Tree,
    source: &str,
    tell: impl FnMut(&str, bool) -> Option<(String, Option<String>)>,
) -> Vec<Diagnostic> {
    unread_key::find(tree, is_in(&tree.sources, source), tell)
}

/// Whether an offset is in one of the sources of this name.
pub(crate) fn is_in(sources: &Sources, name: &str) -> impl Fn(u32) -> bool + use<> {
    let files = sources.files.iter().filter(|file| file.name.as_ref() == name);
    let ranges: Vec<_> = files.map(|file| file.base..file.base + number(file.text.len())).collect();
    move |at| ranges.iter().any(|range| range.contains(&at))
}

/// What is seen without looking at variants.
fn slips(tree: &Tree, is_wanted: impl Fn(u32) -> bool) -> Vec<Found> {
    let mut found = unknown_label::find(tree, &is_wanted);
    found.extend(empty_condition::find(tree, &is_wanted));
    found
}

impl Found {
    fn told(self, sources: &Sources) -> Diagnostic {
        let Self { finding, at, message, help } = self;
        let told = Diagnostic::at(sources, at, Severity::Warning, message, help);
        Diagnostic { finding: Some(finding), ..told }
    }
}

impl Lint<'_> {
    fn report(
        &mut self,
        finding: Finding,
        at: Span,
        message: String,
        help: impl Into<Option<String>>,
    ) {
        let help = help.into();
        // More than are told: files that are read several times give each of theirs as often.
        if self.found.len() < 20 * limits::FINDINGS {
            self.found.push(Found { finding, at, message, help });
        }
    }

    /// Whether a name that goes through a scope and fulfils the demands passes every statement
    /// but selections.
    fn ask(&mut self, through: Option<u32>, demands: &[Item]) -> Answer {
        let until = everything(self.plan);
        self.search.ask(&Question { through, demands, until, selections: false })
    }

    /// The same if there were no statements.
    fn ask_without(&mut self, through: Option<u32>, demands: &[Item]) -> Answer {
        let until = FilterId(0);
        self.search.ask(&Question { through, demands, until, selections: false })
    }
}

/// In the order of the text. A file that is included several times is right where one of its
/// readings is: told is only what is found in each of them.
fn told(plan: &Plan, found: Vec<Found>) -> Vec<Diagnostic> {
    let sources = &plan.tree.sources;
    let mut found = found;
    found.sort_by_key(|found| (found.at.start, found.finding));
    let found = ambiguity::in_all_readings(sources, found);
    found.into_iter().take(limits::FINDINGS).map(|found| found.told(sources)).collect()
}
