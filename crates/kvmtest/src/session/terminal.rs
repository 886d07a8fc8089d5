//! Takes out of a stream what is meant for a terminal: escapes and carriage returns.

/// A filter that remembers, from one piece to the next, whether it stands inside an escape.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Text,
    Escape,
    /// `ESC` and an intermediate byte: one more byte belongs to it.
    Charset,
    /// `ESC [`: parameters, then a letter.
    Control,
    /// `ESC ]` and the like: a string up to BEL or `ESC \`.
    String,
    /// `ESC` within a string: its end, if `\` follows.
    StringEscape,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

impl Cleaner {
    /// Appends to `out` what of `input` is text.
    pub(crate) fn clean(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        while !input.is_empty() {
            if matches!(self.state, State::Text) {
                let end = input.iter().position(|&b| b == ESC || b == b'\r');
                let (text, rest) = input.split_at(end.unwrap_or(input.len()));
                out.extend_from_slice(text);
                input = rest;
            }
            let Some((&byte, rest)) = input.split_first() else { return };
            if self.step(byte) {
                input = rest;
            }
        }
    }

    /// Goes one byte on; `false` means that the byte is to be looked at again as text.
    ///
    /// Whatever no escape can contain ends it, so that a guest cannot hide all that follows
    /// behind an escape that it never ends.
    fn step(&mut self, byte: u8) -> bool {
        use State::{Charset, Control, Escape, String, StringEscape, Text};
        let (next, taken) = match (self.state, byte) {
            (Text | Escape | Control | Charset, ESC) => (Escape, true),
            (Text, _)
            | (Escape | Charset, 0x30..=0x4f | 0x51..=0x57 | 0x59 | 0x5a | 0x5c | 0x60..=0x7e)
            | (Charset, b'P' | b'X' | b'[' | b']'..=b'_')
            | (Control, 0x40..=0x7e)
            | (String, BEL)
            | (StringEscape, b'\\') => (Text, true),
            (Escape, b'[') | (Control, 0x20..=0x3f) => (Control, true),
            (Escape | Charset, 0x20..=0x2f) => (Charset, true),
            (Escape, b'P' | b'X' | b']'..=b'_') | (String, 0x20..=0x7e | 0x80..=0xff) => {
                (String, true)
            }
            (String, ESC) => (StringEscape, true),
            (StringEscape, _) => (Escape, false),
            _ => (Text, false),
        };
        self.state = next;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expect: &str) {
        for size in [1, 2, 3, input.len().max(1)] {
            let (mut cleaner, mut out) = (Cleaner::default(), Vec::new());
            for piece in input.chunks(size) {
                cleaner.clean(piece, &mut out);
            }
            assert_eq!(String::from_utf8_lossy(&out), expect, "in pieces of {size}");
        }
    }

    #[test]
    fn escapes_are_taken_out() {
        check(b"plain\r\n", "plain\n");
        check(b"~ # \x1b[6n", "~ # ");
        check(b"\x1b[?2004h\x1b[01;32mroot@g\x1b[00m:~# ", "root@g:~# ");
        check(b"\x1b]0;title\x07a\x1b]3008;start=x\x1b\\b", "ab");
        check(b"\x1b(Ba\x1bMb\x1b=c\x1b#8d", "abcd");
        check(b"\x1bP1;2|data\x1b\\x", "x");
        check(b"\x1b\x1b[1mbold", "bold");
        check("h\u{e9}\u{1f600}".as_bytes(), "h\u{e9}\u{1f600}");
    }

    #[test]
    fn an_escape_that_never_ends_hides_one_line_at_most() {
        check(b"\x1b]0;no end\nlogin: ", "\nlogin: ");
        check(b"\x1b[12;\nlogin: ", "\nlogin: ");
        check(b"\x1b\nx", "\nx");
        check(b"\x1b]0;a\x1b[1mb", "b");
    }
}
