//! Searches a console for signs of trouble, as it comes.

use std::sync::Arc;

use super::{Entry, Signs};
use crate::session::Cleaner;

/// A line that is longer than this is none of a kernel's: it is looked at in pieces.
const LINE: usize = 4096;
/// So much of a piece is looked at again with the next one.
const OVERLAP: usize = 256;

/// Cuts what a console prints into lines and looks for signs in them. It takes any bytes, in any
/// pieces, and keeps no more than a line of them.
#[derive(Debug)]
pub struct Scanner {
    signs: Arc<Signs>,
    cleaner: Cleaner,
    clean: Vec<u8>,
    line: Vec<u8>,
}

impl Scanner {
    /// A scanner for `signs`, at the beginning of a line.
    pub fn new(signs: Arc<Signs>) -> Self {
        Self { signs, cleaner: Cleaner::default(), clean: Vec::new(), line: Vec::new() }
    }

    /// Takes what comes next, and hands each line that is whole now to `seen`, with the sign that
    /// it shows. Half a line waits for its rest.
    pub fn feed(&mut self, bytes: &[u8], mut seen: impl FnMut(&[u8], Option<&Entry>)) {
        self.clean.clear();
        self.cleaner.clean(bytes, &mut self.clean);
        let mut rest = &self.clean[..];
        while !rest.is_empty() {
            let room = rest.len().min(LINE.saturating_sub(self.line.len()).max(1));
            let end = rest[..room].iter().position(|byte| *byte == b'\n');
            self.line.extend_from_slice(&rest[..end.unwrap_or(room)]);
            rest = &rest[end.map_or(room, |end| end + 1)..];
            if end.is_some() {
                seen(&self.line, self.signs.find(&self.line));
                self.line.clear();
            } else if self.line.len() >= LINE {
                seen(&self.line, self.signs.find(&self.line));
                self.line.drain(..LINE - OVERLAP);
            }
        }
    }

    /// Nothing more will come: the last line is whole as it is.
    pub fn finish(&mut self, mut seen: impl FnMut(&[u8], Option<&Entry>)) {
        if !self.line.is_empty() {
            seen(&self.line, self.signs.find(&self.line));
            self.line.clear();
        }
    }
}

/// A line of a guest for people: no control characters, and not without end.
pub fn readable(line: &[u8]) -> String {
    const MOST: usize = 400;
    let text = String::from_utf8_lossy(line);
    let text = text.trim().chars().map(|c| if c == '\t' { ' ' } else { c });
    text.filter(|c| !c.is_control()).take(MOST).collect()
}
