//! Splitting text into words by the shell's quoting rules, without a shell.

/// The words of `text`; an error says which quote is not closed.
///
/// Blanks and newlines separate; `'…'` is literal; in `"…"` a backslash takes `"`, `\`, `$` and
/// `` ` `` as they are; outside of quotes it takes any character as it is. Nothing is expanded.
pub(super) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a `'` is not closed")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a `\"` is not closed")? {
                        '"' => break,
                        '\\' if matches!(chars.peek(), Some('"' | '\\' | '$' | '`')) => {
                            word.extend(chars.next());
                        }
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let next = chars.next().ok_or("a `\\` stands at the end")?;
                word.get_or_insert_default().push(next);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_follow_the_shell() {
        for (text, want) in [
            ("", vec![]),
            ("  -a  -b\tc\n", vec!["-a", "-b", "c"]),
            ("'a b' \"c d\"e", vec!["a b", "c de"]),
            ("'' \"\"", vec!["", ""]),
            (r"a\ b \'", vec!["a b", "'"]),
            (r#""\"\\\n""#, vec![r#""\\n"#]),
            ("$HOME `id` *;|", vec!["$HOME", "`id`", "*;|"]),
        ] {
            assert_eq!(split(text).expect(text), want, "{text}");
        }
    }

    #[test]
    fn an_open_quote_is_named() {
        assert_eq!(split("'a"), Err("a `'` is not closed"));
        assert_eq!(split("\"a"), Err("a `\"` is not closed"));
        assert_eq!(split("a\\"), Err("a `\\` stands at the end"));
    }

    proptest! {
        #[test]
        fn what_the_script_quotes_is_one_word_again(text in any::<String>()) {
            let quoted = super::super::script::quote(&text);
            prop_assert_eq!(split(&quoted).expect("closed"), vec![text]);
        }
    }
}
