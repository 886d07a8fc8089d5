//! Makes text that a guest may have sent safe to show.

/// `text` without anything that a terminal would obey: control characters other than line feed
/// and tab, and those that turn the direction of writing, are shown as `\u{1b}`.
pub(super) fn for_terminal(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => clean.push(c),
            '\r' => {}
            c if c.is_control() || turns_direction(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

/// `text` as a terminal would have shown it, more or less: without the sequences that set colours
/// and places, and of each line only what was written after it was begun anew.
///
/// For logs of consoles, which are full of these. Something may be left that is to be obeyed, so
/// [`for_terminal`] comes after this.
pub(super) fn without_sequences(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut line = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\r' if chars.peek().is_none_or(|next| matches!(next, '\r' | '\n')) => {}
            '\r' => clean.truncate(line),
            '\u{8}' if clean.len() > line => drop(clean.pop()),
            '\0' | '\u{7}' | '\u{8}' => {}
            '\n' => {
                clean.push(c);
                line = clean.len();
            }
            c => clean.push(c),
        }
    }
    clean
}

/// Skips what follows an escape: to the letter that ends a control sequence, to the end of an
/// operating system command, or one character. What is not ended within its line is text.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    /// No sequence that means something is longer.
    const LONGEST: usize = 200;
    let mut ahead = chars.clone();
    let ended = match ahead.next() {
        Some('[') => ahead.by_ref().take(LONGEST).find(|c| !matches!(c, ' '..='?')),
        Some(']') => ahead.by_ref().take(LONGEST).find(|c| matches!(c, '\u{7}' | '\u{1b}' | '\n')),
        Some('(' | ')' | '#') => ahead.next(),
        other => other,
    };
    match ended {
        Some('\u{1b}') => {
            // The string terminator is an escape and a backslash.
            ahead.next_if_eq(&'\\');
            *chars = ahead;
        }
        Some(c) if c != '\n' => *chars = ahead,
        _ => {}
    }
}

/// `text` as one line: what is between lines becomes a blank.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` as one word of a command line that a person may copy: in quotes if it needs some.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// The beginning of `text`, at most `most` characters of it.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `text` as XML 1.0 allows it: no control characters, no code points that are no characters.
pub(super) fn for_xml(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(c),
            '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A time for people: `340 ms`, `4.31 s`, `2 min 05 s`.
pub(super) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10),
        _ => {
            let seconds = milliseconds / 1000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_given_nothing_to_obey() {
        let check = |text: &str, expect: &str| assert_eq!(for_terminal(text), expect);
        check("plain ü\n\ttext", "plain ü\n\ttext");
        check("\x1b[2J\x07", "\\u{1b}[2J\\u{7}");
        check("\u{9b}31m", "\\u{9b}31m");
        check("a\r\nb", "a\nb");
        check("\u{202e}gpj.exe", "\\u{202e}gpj.exe");
    }

    #[test]
    fn a_console_reads_as_it_looked() {
        let check =
            |text: &str, expect: &str| assert_eq!(without_sequences(text), expect, "{text:?}");
        check("plain ü\n\ttext", "plain ü\n\ttext");
        check("[\x1b[0;32m  OK  \x1b[0m] Started\r\n", "[  OK  ] Started\n");
        check("\x1b]0;title\x07a\x1b]0;title\x1b\\b", "ab");
        check("\x1b[6n\x1b7x\x1b8", "x");
        check(" 10 %\r 20 %\r100 %\r\r\nend", "100 %\nend");
        check("lss\x08\x08s\n\x08x", "ls\nx");
        check("a\x1b[", "a[");
        check("a\x1b[12\nb", "a[12\nb");
        check("a\x1b]never ended\nb", "a]never ended\nb");
        check("end\x1b", "end");
    }

    #[test]
    fn text_is_made_short() {
        assert_eq!(one_line(" a\n\tb  c\r\n"), "a b c");
        let words =
            [("a/b-c.sh", "a/b-c.sh"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")];
        for (text, expect) in words {
            assert_eq!(shell_word(text), expect);
        }
        assert_eq!(shortened("größe", 5), "größe");
        assert_eq!(shortened("größer", 5), "größe…");
    }

    #[test]
    fn xml_gets_characters_only() {
        assert_eq!(for_xml("a\0\x1bb\u{fffe}\u{ffff}\n"), "ab\u{fffd}\u{fffd}\n");
    }

    #[test]
    fn times_read_well() {
        let check = |ms, expect: &str| assert_eq!(duration(ms), expect);
        check(0, "0 ms");
        check(999, "999 ms");
        check(4319, "4.31 s");
        check(59_999, "59.99 s");
        check(125_000, "2 min 05 s");
    }
}
