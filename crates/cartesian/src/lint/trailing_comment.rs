//! Comments that became part of a value.

use super::{Finding, Lint};
use crate::tree::label::number;
use crate::tree::operation::Kind;
use crate::tree::source::Span;

pub(super) fn check(lint: &mut Lint) {
    let plan = lint.plan;
    for operation in &plan.tree.operations {
        // The quotes around a value are no part of it.
        let before = Span { start: operation.at, len: operation.value.start - operation.at };
        if operation.kind == Kind::Delete || plan.span(before).ends_with(['"', '\'']) {
            continue;
        }
        let Some(at) = comment(plan.span(operation.value)) else { continue };
        let start = operation.value.start + number(at);
        let at = Span { start, len: operation.value.end() - start };
        let message = "this comment is part of the value".to_owned();
        let help = "write it in a line of its own, or the value in quotes if it is meant";
        lint.report(Finding::TrailingComment, at, message, help.to_owned());
    }
}

/// Where a comment seems to begin: `#` among blanks, and words after it. In `Adapter #2` is none.
fn comment(value: &str) -> Option<usize> {
    let is_blank = |text: &str| text.is_empty() || text.ends_with(char::is_whitespace);
    value.match_indices('#').map(|(at, _)| at).find(|&at| {
        let rest = &value[at + 1..];
        let words = rest.trim_start();
        is_blank(&value[..at])
            && words.len() < rest.len()
            && words.starts_with(|c: char| c.is_alphabetic())
    })
}

#[cfg(test)]
mod tests {
    use super::comment;

    #[test]
    fn a_hash_among_blanks_before_words() {
        let check = |value: &str, expected: Option<usize>| {
            assert_eq!(comment(value), expected, "{value}");
        };
        check("512 # of the guest", Some(4));
        check("512   #   ü", Some(6));
        check("# nothing", Some(0));
        check("\"\" # nothing", Some(3));
        check("a#1 # b", Some(4));
        for value in ["", "#", "512", "a #2", "a#b", "a# b", "^root # $", "a #", "## a", "a ## b"] {
            check(value, None);
        }
    }
}
