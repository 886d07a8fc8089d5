//! Filters that name a label which no variant has.

use super::label::{Written, labels};
use super::{Finding, Found};
use crate::nearest::nearest;
use crate::tree::Tree;
use crate::tree::filter::{FilterId, Term};
use crate::tree::label::{Label, Symbol, number};
use crate::tree::source::Span;
use crate::tree::spans::FilterSpan;
use rustc_hash::{FxHashMap, FxHashSet};

/// How many comparisons the nearest labels may cost: each is held against all there are.
const COMPARISONS: usize = 5_000_000;

/// Of the filters that begin at one of these offsets.
pub(super) fn find(tree: &Tree, is_wanted: impl Fn(u32) -> bool) -> Vec<Found> {
    let filters = tree.spans.filters.iter().enumerate();
    let mut filters = filters.filter(|(_, spans)| is_wanted(spans.filter.start)).peekable();
    if filters.peek().is_none() {
        return Vec::new();
    }
    let names = Names::new(tree);
    let affordable = COMPARISONS / names.texts.len().max(1);
    let mut suggestions = FxHashMap::default();
    let mut last = Span::default();
    let mut found = Vec::new();
    for (index, spans) in filters {
        // The words of a `join` are filters of their own, and share their text.
        if spans.filter == last {
            continue;
        }
        last = spans.filter;
        // One label is enough to make a word worth nothing.
        let mut is_told = false;
        let consequence = names.consequence(tree, FilterId(number(index)), spans);
        for label in labels(tree.sources.text(spans.filter)) {
            is_told &= !label.is_first;
            if is_told || names.has(tree, &label) {
                continue;
            }
            is_told = true;
            let start = spans.filter.start + number(label.bytes.start);
            let at = Span { start, len: number(label.bytes.len()) };
            let written = tree.sources.text(at);
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
            found.push(Found { finding: Finding::UnknownLabel, at, message, help });
        }
    }
    found
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

    /// What follows where the filter cannot match at all.
    fn consequence(&self, tree: &Tree, filter: FilterId, spans: &FilterSpan) -> &'static str {
        let before =
            Span { start: spans.statement.start, len: spans.filter.start - spans.statement.start };
        let keyword = tree.sources.text(before).trim();
        let mut words = tree.filters.words(filter);
        if keyword != "join" && !words.all(|word| self.is_misspelt(tree, word)) {
            return "";
        }
        match keyword {
            "only" => ": nothing is left",
            "no" => ": nothing is dropped",
            "join" => ": the `join` gives no variant",
            "!" => ": the condition always holds",
            _ => ": the condition never holds",
        }
    }

    fn is_misspelt(&self, tree: &Tree, word: &[Term]) -> bool {
        let mut tags = tree.filters.sequences(word).flatten();
        tags.any(|tag| {
            let label = tree.filters.named.get(*tag);
            match label.variable {
                None => !self.all.contains(&label.name),
                Some(_) => tree.labels.find(label).is_none(),
            }
        })
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
