//! The texts that were parsed, and positions in all of them together.

use crate::limits;
use crate::tree::label::number;
use std::sync::{Arc, OnceLock};

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the source.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A piece of the sources: offsets count through all of them, in the order of their loading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn end(self) -> u32 {
        self.start + self.len
    }
}

/// One text.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: Arc<str>,
    pub(crate) text: Arc<String>,
    pub(crate) base: u32,
    /// Offsets of the line starts, relative to `base`; found when somebody asks for a line.
    lines: OnceLock<Vec<u32>>,
}

/// All texts, in the order of their loading.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<File>,
    length: usize,
}

impl Sources {
    /// Takes a text in; `None` when all texts together would be too long.
    pub(crate) fn add(&mut self, name: Arc<str>, text: String) -> Option<usize> {
        let tabs = memchr::memchr_iter(b'\t', text.as_bytes()).count();
        if text.len().saturating_add(tabs * 7) >= limits::TOTAL_BYTES {
            return None;
        }
        let text = normalize(text);
        if self.length + text.len() >= limits::TOTAL_BYTES {
            return None;
        }
        let base = number(self.length);
        self.length += text.len();
        self.files.push(File { name, text: Arc::new(text), base, lines: OnceLock::new() });
        Some(self.files.len() - 1)
    }

    pub(crate) fn file_at(&self, offset: u32) -> usize {
        self.files.partition_point(|file| file.base <= offset).saturating_sub(1)
    }

    pub(crate) fn place(&self, offset: u32) -> Place {
        let file = &self.files[self.file_at(offset)];
        Place { file: file.name.clone(), line: file.line(offset) }
    }

    /// The piece of text: never one that goes from one source to another.
    pub(crate) fn text(&self, span: Span) -> &str {
        let file = &self.files[self.file_at(span.start)];
        &file.text[(span.start - file.base) as usize..(span.end() - file.base) as usize]
    }

    /// Every text after the other, so that a span is a plain slice.
    pub(crate) fn joined(&self) -> String {
        self.files.iter().map(|file| file.text.as_str()).collect()
    }
}

impl File {
    /// The number of the line that holds this offset, from 1.
    pub(crate) fn line(&self, offset: u32) -> u32 {
        let local = offset - self.base;
        number(self.lines().partition_point(|&start| start <= local))
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(breaks.map(|at| number(at + 1))).collect()
        })
    }

    /// The text of the line that holds this offset, without its end, and its start in the file.
    pub(crate) fn line_text(&self, offset: u32) -> (&str, usize) {
        let start = self.lines()[self.line(offset) as usize - 1] as usize;
        let rest = &self.text[start..];
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        (&rest[..end], start)
    }
}

/// One kind of line end, no byte order mark, no tabs: afterwards a span of the text is exactly
/// what the language sees. Ends with a line end, so that no two files share an offset.
fn normalize(text: String) -> String {
    let mut text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if memchr::memchr(b'\t', text.as_bytes()).is_some() {
        text = expand_tabs(&text);
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn expand_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len() + text.len() / 8);
    let mut done = 0;
    let mut column = 0;
    for tab in memchr::memchr_iter(b'\t', text.as_bytes()) {
        let piece = &text[done..tab];
        expanded.push_str(piece);
        column = match memchr::memrchr(b'\n', piece.as_bytes()) {
            Some(end) => piece[end + 1..].chars().count(),
            None => column + piece.chars().count(),
        };
        let width = 8 - column % 8;
        expanded.extend(std::iter::repeat_n(' ', width));
        column += width;
        done = tab + 1;
    }
    expanded.push_str(&text[done..]);
    expanded
}
