//! Why nothing matches, and who is to blame, for people.

use super::Lint;
use super::outline::{name, outwards};
use super::search::{Answer, Question, everything};
use super::statement::{Role, Statement};
use crate::tree::Item;
use crate::tree::filter::{FilterId, Term};

/// How many statements are named of those that contradict one another.
const NAMED: usize = 3;
/// How many words of a filter are explained.
const WORDS: usize = 3;
/// Labels of more variants than that are not looked for one by one.
const OWNERS: usize = 10_000;

/// Statements that leave nothing together, the last first.
pub(super) struct Conflict {
    pub(super) statements: Vec<Statement>,
    /// These alone are enough.
    is_whole: bool,
}

impl Lint<'_> {
    /// Whether each word of a filter has a label that no variant has. This is a finding already.
    pub(super) fn is_misspelt(&self, filter: FilterId) -> bool {
        let filters = &self.plan.tree.filters;
        let is_unknown = |tag: &u32| self.outline.owners(*tag).is_empty();
        filters.words(filter).all(|word| filters.sequences(word).flatten().any(is_unknown))
    }

    /// The statement after which no name through a scope fulfils the demands any more, where
    /// there was one before, and what it contradicts.
    pub(super) fn conflict(
        &mut self,
        through: Option<u32>,
        demands: &[Item],
        selections: bool,
    ) -> Option<Conflict> {
        let mut demands = demands.to_vec();
        let mut until = everything(self.plan);
        let mut statements: Vec<Statement> = Vec::new();
        while statements.len() < NAMED {
            let question = Question { through, demands: &demands, until, selections };
            let Some(filter) = self.search.culprit(&question) else { break };
            let Some(&statement) = self.statements.of(filter) else { break };
            statements.push(statement);
            // What is said for some names only is no demand on all of them.
            let is_around = statement.scope.is_none()
                || outwards(self.plan, through).any(|scope| statement.scope == Some(scope));
            if !is_around || statement.within.is_some() {
                break;
            }
            demands.push(match statement.role {
                Role::No => Item::No(filter),
                _ => Item::Only(filter),
            });
            until = filter;
        }
        let is_whole = self.ask_without(through, &demands) == Answer::Never;
        (!statements.is_empty()).then_some(Conflict { statements, is_whole })
    }

    /// Whether what a statement empties is a finding already, by a label that nobody has; or no
    /// slip: `no boot` in the variant `boot` switches it off.
    pub(super) fn is_meant(&self, culprit: &Statement) -> bool {
        if culprit.role != Role::No {
            return self.is_misspelt(culprit.filter);
        }
        let filters = &self.plan.tree.filters;
        let is_own = |tag: &u32| {
            let mut around = outwards(self.plan, culprit.scope);
            around.any(|entry| self.outline.owners(*tag).binary_search(&entry).is_ok())
        };
        let mut words = filters.words(culprit.filter);
        words.any(|word| filters.sequences(word).flatten().all(is_own))
    }

    /// What the last statement of a conflict contradicts.
    pub(super) fn against(&mut self, through: Option<u32>, conflict: &Conflict) -> String {
        let [culprit, others @ ..] = conflict.statements.as_slice() else { return String::new() };
        if others.is_empty() {
            let is_structural = conflict.is_whole && culprit.role != Role::No;
            return if is_structural {
                self.why_never(through, culprit)
            } else {
                "what passes the statements before it does not pass this one, too".to_owned()
            };
        }
        let others: Vec<String> = others.iter().map(|other| self.quote(other)).collect();
        let others = others.join(" and ");
        if conflict.is_whole {
            format!("it contradicts {others}")
        } else {
            format!(
                "what passes the statements before it, as {others}, does not pass this one, too"
            )
        }
    }

    /// Why no name through a scope matches a filter, whatever the other statements are.
    pub(super) fn why_never(&self, scope: Option<u32>, statement: &Statement) -> String {
        let words = self.plan.tree.filters.words(statement.filter);
        let count = words.len();
        let mut reasons: Vec<String> =
            words.take(WORDS).map(|word| self.why_no_word(scope, word, statement)).collect();
        reasons.dedup();
        if count > WORDS {
            reasons.push("…".to_owned());
        }
        reasons.join("; ")
    }

    fn why_no_word(&self, scope: Option<u32>, word: &[Term], statement: &Statement) -> String {
        let through =
            scope.map_or_else(String::new, |entry| format!(" through `{}`", self.path(entry)));
        let filters = &self.plan.tree.filters;
        let owners = |tag: u32| self.outline.owners(tag);
        let is_missing = |tag: &&u32| {
            let go_together = |owner: &u32| self.outline.go_together(self.plan, scope, *owner);
            owners(**tag).len() <= OWNERS && !owners(**tag).iter().any(go_together)
        };
        if let Some(&tag) = filters.sequences(word).flatten().find(is_missing) {
            return format!("no name{through} has `{}`", self.tag(tag));
        }
        for pair in filters.sequences(word).flat_map(|tags| tags.windows(2)) {
            let (first, second) = (pair[0], pair[1]);
            let is_short = owners(first).len() + owners(second).len() <= OWNERS;
            if is_short && !self.outline.may_follow(self.plan, first, second) {
                let (first, second) = (self.tag(first), self.tag(second));
                return format!("`{second}` is nowhere directly after `{first}`");
            }
        }
        let word = self.word(word);
        match statement.within {
            Some(outer) => {
                let outer = self.statements.all[outer as usize].text(self.plan);
                format!("no name{through} for which `{outer}` holds has `{word}`")
            }
            None => format!("no name{through} has `{word}`"),
        }
    }

    /// `only a` in FILE:LINE
    pub(super) fn quote(&self, statement: &Statement) -> String {
        let span = self.plan.tree.spans.filters[statement.filter.0 as usize].statement;
        format!("`{}` in {}", statement.text(self.plan), self.plan.tree.sources.place(span.start))
    }

    /// An entry and those that it stands in, as names show them.
    pub(super) fn path(&self, entry: u32) -> String {
        let mut names: Vec<String> =
            outwards(self.plan, Some(entry)).map(|entry| name(self.plan, entry)).collect();
        names.reverse();
        names.join(".")
    }

    /// A filter as it may be written.
    pub(super) fn words(&self, filter: FilterId) -> String {
        let words = self.plan.tree.filters.words(filter).map(|word| self.word(word));
        words.collect::<Vec<_>>().join(", ")
    }

    fn word(&self, word: &[Term]) -> String {
        let tags = |tags: &[u32]| tags.iter().map(|tag| self.tag(*tag)).collect::<Vec<_>>();
        let sequences =
            self.plan.tree.filters.sequences(word).map(|sequence| tags(sequence).join("."));
        sequences.collect::<Vec<_>>().join("..")
    }

    fn tag(&self, tag: u32) -> String {
        let label = self.plan.tree.filters.named.get(tag);
        let name = self.plan.tree.strings.text(label.name);
        match label.variable {
            Some(variable) => format!("({}={name})", self.plan.tree.strings.text(variable)),
            None => name.to_owned(),
        }
    }
}
