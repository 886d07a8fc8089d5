//! A filter as it was typed: its labels, and what is between them.

use kvmtest_cartesian::Parser;

/// The labels of a filter, in their order: `boot`, and `(os=f)` with its parentheses.
pub(crate) fn labels(text: &str) -> impl Iterator<Item = &str> {
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

/// The words of a filter, of which a name has to pass any: `a..b`, `c` of `a..b, c`.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |c: char| c == ',' || c == ' ';
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_between);
        let mut end = 0;
        while let Some(next) = rest[end..].chars().next().filter(|next| !is_between(*next)) {
            end += named(&rest[end..]).unwrap_or(next.len_utf8());
        }
        let word = &rest[..end];
        rest = &rest[end..];
        (!word.is_empty()).then_some(word)
    })
}

/// What the language says against a filter.
pub(crate) fn refused(text: &str) -> Option<String> {
    if text.contains(['\n', '\r']) {
        return Some("it has a line end".to_owned());
    }
    let mut parser = Parser::new();
    parser.statement(&format!("only {text}"));
    let error = parser.diagnostics().iter().find(|one| one.is_error())?;
    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    Some(format!("{}{help}", error.message))
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
    fn words_are_told_apart() {
        let check = |text, expect: &[&str]| {
            assert_eq!(words(text).collect::<Vec<_>>(), expect, "{text}");
        };
        check("boot", &["boot"]);
        check("a..b, c d.e,f", &["a..b", "c", "d.e", "f"]);
        check("( os = f )..a, (g)", &["( os = f )..a", "(g)"]);
        check("(os=f).( a = b )", &["(os=f).( a = b )"]);
        check(" , ", &[]);
        check("(os, a", &["(os", "a"]);
        check("ü, (ä=ö)", &["ü", "(ä=ö)"]);
    }

    #[test]
    fn the_language_says_what_is_wrong_with_a_filter() {
        for filter in ["boot", "a..b, c d", "( os = f )..a"] {
            assert_eq!(refused(filter), None, "{filter}");
        }
        for wrong in ["", "..", "a,,b", "a,", "a...b", ".a", "a.", "a\nb", "a ..b", "("] {
            assert!(refused(wrong).is_some(), "{wrong}");
        }
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
