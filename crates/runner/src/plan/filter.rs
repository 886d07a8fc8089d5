//! A filter as it was typed: its labels, and what is between them.

/// The labels of a filter, in their order: `boot`, and `(os=f)` with its parentheses.
pub(super) fn labels(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_separator);
        let length = match named(rest) {
            Some(length) => length,
            None => rest.find(|c| is_separator(c) || c == '(').unwrap_or(rest.len()).max(1),
        };
        let label = rest.get(..length)?;
        rest = &rest[length..];
        Some(label)
    })
}

/// Whether the whole text is made of labels and of what may stand between them.
pub(super) fn is_filter(text: &str) -> bool {
    labels(text).next().is_some() && labels(text).all(|label| named(label).is_some() || word(label))
}

/// The text without the labels that stand in parentheses: what is left of `(os=f): mem = 1` is
/// an assignment, what is left of `(os=f)..boot` is none.
pub(super) fn without_named(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins = left.is_empty() || left.ends_with(is_separator) || left.ends_with('!');
        let length = named(rest).filter(|_| begins);
        if length.is_none() {
            left.push(first);
        }
        rest = &rest[length.unwrap_or(first.len_utf8())..];
    }
    left
}

/// The block and the label of `(os=f)`; no block in `(f)`.
pub(super) fn taken_apart(label: &str) -> Option<(Option<&str>, &str)> {
    let inside = label.strip_prefix('(')?.strip_suffix(')')?;
    let (block, name) = match inside.split_once('=') {
        Some((block, name)) => (Some(block.trim()), name.trim()),
        None => (None, inside.trim()),
    };
    (word(name) && block.is_none_or(word)).then_some((block, name))
}

/// How long the label in parentheses is that the text begins with.
fn named(text: &str) -> Option<usize> {
    let length = text.strip_prefix('(')?.find(')')? + 2;
    taken_apart(&text[..length])?;
    Some(length)
}

fn word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn is_separator(c: char) -> bool {
    c == ',' || c == '.' || c == ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_told_from_what_is_between_them() {
        let check = |text, expect: &[&str]| {
            assert_eq!(labels(text).collect::<Vec<_>>(), expect, "{text}");
        };
        check("boot", &["boot"]);
        check("a..b.c, d e", &["a", "b", "c", "d", "e"]);
        check("(os=f)", &["(os=f)"]);
        check("(os=f)..boot", &["(os=f)", "boot"]);
        check("a.( os = f ).(g)", &["a", "( os = f )", "(g)"]);
        check("a(os=f)", &["a", "(os=f)"]);
        check("(os", &["(", "os"]);
        check(" ,.", &[]);
        check("", &[]);
    }

    #[test]
    fn what_is_no_label_is_no_filter() {
        for filter in ["boot", "a..b", "a, b", "(os=f)", "(f)", "(os=f).boot", "11.0.32", "ü"] {
            assert!(is_filter(filter), "{filter}");
        }
        for other in
            ["", " ", "..", "(", "()", "(a=)", "(=a)", "(a.b)", "a)", "boot*", "a/b", "a\n"]
        {
            assert!(!is_filter(other), "{other}");
        }
    }

    #[test]
    fn a_parenthesis_inside_a_word_is_no_label() {
        let check = |text, expect| assert_eq!(without_named(text), expect, "{text}");
        check("(os=f): k = 1", ": k = 1");
        check("!(os=f)..a: k = 1", "!..a: k = 1");
        check("a,(os=f)", "a,");
        check("k = x(a=b)", "k = x(a=b)");
        check("(os=f", "(os=f");
        check("ü(os=f)", "ü(os=f)");
    }
}
