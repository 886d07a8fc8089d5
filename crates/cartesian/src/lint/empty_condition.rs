//! Conditions with nothing in them.

use super::{Finding, Found};
use crate::tree::Tree;
use crate::tree::source::{File, Span};

/// Of the filters that begin at one of these offsets.
pub(super) fn find(tree: &Tree, is_wanted: impl Fn(u32) -> bool) -> Vec<Found> {
    let filters = tree.spans.filters.iter().filter(|spans| is_wanted(spans.filter.start));
    let mut found = Vec::new();
    for spans in filters {
        let file = &tree.sources.files[tree.sources.file_at(spans.filter.start)];
        if is_empty(file, spans.filter) {
            let message = "a condition with nothing in it".to_owned();
            let help = "write a statement after the colon, or indent those below by more";
            let at = spans.statement;
            let finding = Finding::EmptyCondition;
            found.push(Found { finding, at, message, help: Some(help.to_owned()) });
        }
    }
    found
}

/// Whether a colon is all that follows on the line, and nothing below is indented by more; also no
/// comment: that was a statement once, or will be.
fn is_empty(file: &File, filter: Span) -> bool {
    let end = (filter.end() - file.base) as usize;
    let mut below = file.text[end..].lines();
    if below.next().map(str::trim) != Some(":") {
        return false;
    }
    let (line, _) = file.line_text(filter.start);
    let is_deeper = |next: &str| indent(next) > indent(line);
    let is_passed = |next: &str| {
        let next = next.trim();
        next.is_empty() || next.starts_with('#') || next.starts_with("//")
    };
    below.find(|next| !is_passed(next) || is_deeper(next)).is_none_or(|next| !is_deeper(next))
}

/// An empty line is not indented.
fn indent(line: &str) -> usize {
    let line = line.trim_end();
    line.len() - line.trim_start_matches(' ').len()
}
