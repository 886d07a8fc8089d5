//! A line taken apart: which statement it is, and the words of it.

use crate::tree::operation::Kind;
use std::ops::Range;

/// What kind of statement a line holds. Ranges count from the start of the scanned text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// `variants…`: the rest after the word.
    Variants(usize),
    Include(Range<usize>),
    Only(usize),
    No(usize),
    Join(usize),
    Suffix(usize),
    Delete(usize),
    /// A filter up to the colon, then a statement or nothing.
    Condition {
        negated: bool,
        filter: Range<usize>,
        rest: usize,
    },
    Assignment {
        key: Range<usize>,
        kind: Kind,
        value: Range<usize>,
    },
    /// `- name:` where no variants are listed.
    StrayVariant,
    Unknown,
}

/// Tells what a line (without blanks around it) is.
pub(crate) fn form(text: &str) -> Form {
    let word = word_end(text, 0);
    if let Some(form) = keyword(text, word) {
        return form;
    }
    // The most are `key = value`, and nothing of these has to be looked at twice.
    let bytes = text.as_bytes();
    let blanks = bytes[word..].iter().take_while(|&&byte| byte == b' ').count();
    let equals = word + blanks;
    if word > 0 && bytes[0] != b'-' && bytes.get(equals) == Some(&b'=') {
        let value = trim(text, equals + 1..text.len());
        return Form::Assignment { key: 0..word, kind: Kind::Set, value };
    }
    if text.starts_with('-') {
        return Form::StrayVariant;
    }
    match first_mark(text, word) {
        Some((at, ':')) => {
            let negated = text.starts_with('!');
            let filter = trim(text, usize::from(negated)..at);
            Form::Condition { negated, filter, rest: at + 1 }
        }
        Some((at, _)) => assignment(text, at),
        None => Form::Unknown,
    }
}

/// A statement that begins with a word of the language.
fn keyword(text: &str, word: usize) -> Option<Form> {
    // Few keys begin like one of them.
    let longest = "variants".len();
    if !(2..=longest).contains(&word)
        || !matches!(text.as_bytes()[0], b'd' | b'i'..=b'j' | b'n'..=b'o' | b's' | b'v')
    {
        return None;
    }
    let after = text[word..].chars().next();
    let ends = after.is_none_or(|c| c.is_whitespace() || c == '#');
    Some(match &text[..word] {
        "variants" if ends || matches!(after, Some(':' | '[')) => Form::Variants(word),
        "include" if ends => Form::Include(trim(text, word..text.len())),
        "only" if ends || after == Some('(') => Form::Only(word),
        "no" if ends || after == Some('(') => Form::No(word),
        "join" if ends || after == Some('(') => Form::Join(word),
        "suffix" if ends => Form::Suffix(word),
        "del" if ends => Form::Delete(word),
        _ => return None,
    })
}

/// The first `:` or `=` outside of parentheses: a filter may hold `(name=value)`, and a regular
/// expression `(?:…)`. None is before `from`.
fn first_mark(text: &str, from: usize) -> Option<(usize, char)> {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return Some((at, ':')),
            b'=' if depth == 0 => return Some((at, '=')),
            _ => {}
        }
    }
    None
}

fn assignment(text: &str, equals: usize) -> Form {
    let (length, kind) = match text.as_bytes()[..equals] {
        [.., b'?', b'+'] => (2, Kind::PatternAppend),
        [.., b'?', b'<'] => (2, Kind::PatternPrepend),
        [.., b'?'] => (1, Kind::PatternSet),
        [.., b'+'] => (1, Kind::Append),
        [.., b'<'] => (1, Kind::Prepend),
        [.., b'~'] => (1, Kind::Lazy),
        _ => (0, Kind::Set),
    };
    Form::Assignment {
        key: trim(text, 0..equals - length),
        kind,
        value: trim(text, equals + 1..text.len()),
    }
}

/// A value without its quotes: one pair around the whole of it goes, and so does a quote that
/// is all there is.
pub(crate) fn unquote(text: &str, value: Range<usize>) -> Range<usize> {
    let inner = &text[value.clone()];
    let quoted = |quote: char| inner.starts_with(quote) && inner.ends_with(quote);
    if quoted('"') || quoted('\'') {
        let end = (value.end - 1).max(value.start + 1);
        return value.start + 1..end;
    }
    value
}

/// A range without the blanks at its ends.
pub(crate) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let (mut start, mut end) = (range.start, range.end);
    while start < end && is_blank_byte(bytes[start]) {
        start += 1;
    }
    while start < end && is_blank_byte(bytes[end - 1]) {
        end -= 1;
    }
    if start == end {
        return range.end..range.end;
    }
    // The blanks beyond ASCII are rare, and take decoding.
    if !bytes[start].is_ascii() || !bytes[end - 1].is_ascii() {
        let piece = &text[start..end];
        start = end - piece.trim_start().len();
        end = start + text[start..end].trim_end().len();
        if start == end {
            return range.end..range.end;
        }
    }
    start..end
}

/// The text before a `#`, where a comment may follow a statement.
pub(crate) fn before_comment(text: &str, from: usize) -> Range<usize> {
    let end = text[from..].find('#').map_or(text.len(), |at| from + at);
    trim(text, from..end)
}

/// A character of a label, a variant's name, or the name of a block.
pub(crate) fn is_word(character: char) -> bool {
    u8::try_from(character).is_ok_and(is_word_byte)
}

/// Where the word ends that begins at `from`, if any does.
pub(crate) fn word_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() && WORD[bytes[at] as usize] {
        at += 1;
    }
    at
}

fn is_word_byte(byte: u8) -> bool {
    WORD[byte as usize]
}

/// For each byte whether it is one of a word.
static WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0_u8;
    loop {
        word[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if byte == u8::MAX {
            break word;
        }
        byte += 1;
    }
};

/// The blanks within ASCII, as [`char::is_whitespace`] tells them.
fn is_blank_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
