//! Lines of one source, with their indentation; comments and blank lines are not told.

use crate::limits;
use crate::parser::scan;
use crate::tree::label::number;
use crate::tree::source::{File, Span};
use std::ops::Range;
use std::sync::Arc;

/// Walks through the lines of a source.
pub(crate) struct Cursor {
    pub(crate) text: Arc<String>,
    pub(crate) name: Arc<str>,
    pub(crate) file: u32,
    base: u32,
    at: usize,
    /// A line that was looked at, and belongs to whoever asks next.
    ahead: Option<Line>,
}

/// A line that holds a statement.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Blanks before the statement.
    pub(crate) indent: usize,
    /// The statement, without the blanks around it.
    pub(crate) range: Range<usize>,
    pub(crate) too_long: bool,
}

impl Cursor {
    pub(crate) fn new(file: &File, number: u32) -> Self {
        Self {
            text: file.text.clone(),
            name: file.name.clone(),
            file: number,
            base: file.base,
            at: 0,
            ahead: None,
        }
    }

    /// The next line, if it is indented by more than `than`; otherwise the block is over.
    pub(crate) fn deeper(&mut self, than: Option<usize>) -> Option<Line> {
        let line = self.ahead.take().or_else(|| self.next_line())?;
        if than.is_some_and(|than| line.indent <= than) {
            self.ahead = Some(line);
            return None;
        }
        Some(line)
    }

    fn next_line(&mut self) -> Option<Line> {
        while self.at < self.text.len() {
            let rest = &self.text.as_bytes()[self.at..];
            let indent = indent(rest);
            let length = memchr::memchr(b'\n', &rest[indent..]).unwrap_or(rest.len() - indent);
            let start = self.at + indent;
            let end = start + length;
            self.at = end + 1;
            let range = scan::trim(&self.text, start..end);
            if !matches!(self.text.as_bytes()[range.clone()], [] | [b'#', ..] | [b'/', b'/', ..]) {
                return Some(Line {
                    indent,
                    range,
                    too_long: indent + length > limits::LINE_BYTES,
                });
            }
        }
        None
    }

    /// Passes over everything that is indented by more than `than`.
    pub(crate) fn skip_deeper(&mut self, than: usize) {
        while self.deeper(Some(than)).is_some() {}
    }

    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span { start: self.global(range.start), len: number(range.len()) }
    }

    /// The position of an offset of this text among all sources.
    pub(crate) fn global(&self, offset: usize) -> u32 {
        self.base + number(offset)
    }
}

/// How many blanks a line begins with.
fn indent(line: &[u8]) -> usize {
    const EIGHT: [u8; 8] = [b' '; 8];
    let mut rest = line;
    while let Some(after) = rest.strip_prefix(&EIGHT) {
        rest = after;
    }
    line.len() - rest.len() + rest.iter().take_while(|&&byte| byte == b' ').count()
}
