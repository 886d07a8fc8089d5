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
