//! Filters that name a label which no variant has.

use super::label::labels;
use super::names::Names;
use super::{Finding, Found};
use crate::tree::Tree;
use crate::tree::filter::FilterId;
use crate::tree::label::number;
use crate::tree::source::Span;
use crate::tree::spans::FilterSpan;
use rustc_hash::FxHashMap;

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
    let affordable = COMPARISONS / names.len().max(1);
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
        let consequence = consequence(&names, tree, FilterId(number(index)), spans);
        for label in labels(tree.sources.text(spans.filter)) {
            is_told &= !label.is_first;
            if is_told || names.has(&label) {
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
                    let help = names.suggest(&label);
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

/// What follows where the filter cannot match at all.
fn consequence(names: &Names, tree: &Tree, filter: FilterId, spans: &FilterSpan) -> &'static str {
    let before =
        Span { start: spans.statement.start, len: spans.filter.start - spans.statement.start };
    let keyword = tree.sources.text(before).trim();
    let mut words = tree.filters.words(filter);
    if keyword != "join" && !words.all(|word| names.is_misspelt(word)) {
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
