//! The labels of a filter as they stand in its text.

use crate::parser::scan::is_word;
use std::ops::Range;

/// `name`, `(name)` or `(variable=name)`.
pub(super) struct Written<'t> {
    pub(super) bytes: Range<usize>,
    pub(super) variable: Option<&'t str>,
    pub(super) name: &'t str,
    /// It begins a word: what stands before it is no dot.
    pub(super) is_first: bool,
}

/// The labels of a text that is a filter, in order.
pub(super) fn labels(text: &str) -> impl Iterator<Item = Written<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|c| is_word(c) || c == '(')?;
        let is_first = !text[at..start].starts_with('.');
        let rest = &text[start..];
        if let Some(inside) = rest.strip_prefix('(') {
            let length = inside.find(')')?;
            at = start + length + 2;
            let (variable, name) = match inside[..length].split_once('=') {
                Some((variable, name)) => (Some(variable.trim()), name.trim()),
                None => (None, inside[..length].trim()),
            };
            return Some(Written { bytes: start..at, variable, name, is_first });
        }
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        at = start + length;
        Some(Written { bytes: start..at, variable: None, name: &rest[..length], is_first })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_where_no_dot_is() {
        let first: Vec<bool> = labels("a..b.c, d e").map(|label| label.is_first).collect();
        assert_eq!(first, [true, false, false, true, true]);
    }

    #[test]
    fn labels_are_found_where_they_stand() {
        let check = |text: &str, expected: &[(&str, Option<&str>, &str)]| {
            let found: Vec<_> = labels(text)
                .map(|label| (&text[label.bytes], label.variable, label.name))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check("", &[]);
        check("a", &[("a", None, "a")]);
        check(
            "a..b.c, d e",
            &[
                ("a", None, "a"),
                ("b", None, "b"),
                ("c", None, "c"),
                ("d", None, "d"),
                ("e", None, "e"),
            ],
        );
        check(
            "( os = f )..(g),h",
            &[("( os = f )", Some("os"), "f"), ("(g)", None, "g"), ("h", None, "h")],
        );
    }
}
