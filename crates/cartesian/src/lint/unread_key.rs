//! What is said of the keys that statements set or delete, by somebody who knows which are read.

use crate::diagnostic::{Diagnostic, Severity};
use crate::tree::Tree;
use crate::tree::label::{Symbol, number};
use crate::tree::operation::Kind;
use crate::tree::source::Span;

/// Warnings of the assignments at wanted offsets: `tell` is given the key, and whether it is
/// deleted, and gives back a message and what would be right. Where it gives nothing, nothing is
/// told.
pub(super) fn find(
    tree: &Tree,
    is_wanted: impl Fn(u32) -> bool,
    mut tell: impl FnMut(&str, bool) -> Option<(String, Option<String>)>,
) -> Vec<Diagnostic> {
    let operations = tree.operations.iter().filter(|one| !one.kind.is_pattern());
    operations
        .filter(|one| is_wanted(one.at))
        .filter_map(|operation| {
            let key = tree.strings.text(Symbol(operation.key));
            let (message, help) = tell(key, operation.kind == Kind::Delete)?;
            let at = Span { start: operation.at, len: number(key.len()) };
            Some(Diagnostic::at(&tree.sources, at, Severity::Warning, message, help))
        })
        .collect()
}
