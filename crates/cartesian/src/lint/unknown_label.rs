//! Filters that name a label which no variant has.

use super::label::{Written, labels};
use super::statement::Role;
use super::{Finding, Lint};
use crate::nearest::nearest;
use crate::tree::Tree;
use crate::tree::filter::FilterId;
use crate::tree::label::{Label, Symbol, number};
use crate::tree::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// How many comparisons the nearest labels may cost: each is held against all there are.
const COMPARISONS: usize = 5_000_000;

pub(super) fn check(lint: &mut Lint) {
    let plan = lint.plan;
    let tree = &plan.tree;
    let names = Names::new(tree);
    let affordable = COMPARISONS / names.texts.len().max(1);
    let mut suggestions = FxHashMap::default();
    let mut last = Span::default();
    for (index, spans) in tree.spans.filters.iter().enumerate() {
        // The words of a `join` are filters of their own, and share their text.
        if spans.filter == last {
            continue;
        }
        last = spans.filter;
        // One label is enough to make a word worth nothing.
        let mut is_told = false;
        let consequence = consequence(lint, FilterId(number(index)));
        for label in labels(plan.span(spans.filter)) {
            is_told &= !label.is_first;
            if is_told || names.has(tree, &label) {
                continue;
            }
            is_told = true;
            let start = spans.filter.start + number(label.bytes.start);
            let at = Span { start, len: number(label.bytes.len()) };
            let written = plan.span(at);
            let message = format!("no variant has the label `{written}`{consequence}");
            let is_affordable = suggestions.len() < affordable;
            let help = match suggestions.get(written) {
                Some(known) => Option::clone(known),
                None if is_affordable => {
                    let help = names.suggest(tree, &label);
                    suggestions.insert(written, help.clone());
                    help
                }
                None => None,
            };
            lint.report(Finding::UnknownLabel, at, message, help);
        }
    }
}

/// What follows where the filter cannot match at all.
fn consequence(lint: &Lint, filter: FilterId) -> &'static str {
    let Some(statement) = lint.statements.of(filter) else {
        // The words of a `join` are filters of their own, which come after the whole.
        let spans = &lint.plan.tree.spans.filters;
        let next = FilterId(filter.0 + 1);
        let is_join = spans.get(next.0 as usize).is_some_and(|span| {
            span.filter == spans[filter.0 as usize].filter && lint.statements.of(next).is_some()
        });
        return if is_join { ": the `join` gives no variant" } else { "" };
    };
    if !lint.is_misspelt(filter) {
        return "";
    }
    match statement.role {
        Role::Only => ": nothing is left",
        Role::No => ": nothing is dropped",
        Role::Join => ": the `join` gives no variant",
        Role::Condition { negated: false } => ": the condition never holds",
        Role::Condition { negated: true } => ": the condition always holds",
    }
}

/// The labels that there are.
struct Names<'t> {
    all: FxHashSet<Symbol>,
    texts: Vec<&'t str>,
    blocks: Vec<&'t str>,
}

impl<'t> Names<'t> {
    fn new(tree: &'t Tree) -> Self {
        let all: FxHashSet<Symbol> = tree.labels.iter().map(|label| label.name).collect();
        let text = |symbol: &Symbol| tree.strings.text(*symbol);
        let mut texts: Vec<&str> = all.iter().map(text).collect();
        let mut blocks: Vec<&str> = tree.blocks.values().map(text).collect();
        texts.sort_unstable();
        blocks.sort_unstable();
        Self { all, texts, blocks }
    }

    fn has(&self, tree: &Tree, label: &Written) -> bool {
        let Some(name) = tree.strings.find(label.name) else { return false };
        let Some(variable) = label.variable else { return self.all.contains(&name) };
        let variable = tree.strings.find(variable);
        variable.is_some_and(|variable| {
            tree.labels.find(Label { variable: Some(variable), name }).is_some()
        })
    }

    fn suggest(&self, tree: &Tree, label: &Written) -> Option<String> {
        let Some(variable) = label.variable else {
            if self.blocks.binary_search(&label.name).is_ok() {
                let name = label.name;
                return Some(format!("`{name}` is a block: its labels are `({name}=…)`"));
            }
            let near = nearest(label.name, self.texts.iter().copied(), 1);
            return near.first().map(|near| format!("did you mean `{near}`?"));
        };
        if self.blocks.binary_search(&variable).is_err() {
            let near = nearest(variable, self.blocks.iter().copied(), 1);
            let mean = near.first().map(|near| format!("; did you mean `{near}`?"));
            return Some(format!("no block is called `{variable}`{}", mean.unwrap_or_default()));
        }
        let variable = tree.strings.find(variable);
        let inside = tree.labels.iter().filter(|known| known.variable == variable);
        let near = nearest(label.name, inside.map(|known| tree.strings.text(known.name)), 1);
        near.first()
            .map(|near| format!("did you mean `({}={near})`?", label.variable.unwrap_or_default()))
    }
}
