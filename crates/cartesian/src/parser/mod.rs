//! The parser as its user sees it.

pub(crate) mod block;
pub(crate) mod cursor;
pub(crate) mod scan;
pub(crate) mod variants;
pub(crate) mod written;

use crate::census::Census;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::include::{Include, NoInclude, Source};
use crate::limits;
use crate::lint;
use crate::parser::block::{Reading, Target};
use crate::parser::cursor::Cursor;
use crate::tree::filter::Written;
use crate::tree::source::Span;
use crate::tree::{NodeId, Tree};
use std::sync::Arc;

/// Reads sources one after another, all into the same outermost scope: what comes later sees and
/// changes what came before.
///
/// It never stops at an error: it leaves the statement out, keeps a [`Diagnostic`], and goes on.
///
/// A clone goes on by itself from where the original is: large files are read once, and then
/// asked different things.
#[derive(Clone)]
pub struct Parser {
    pub(crate) tree: Tree,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The names of the sources that are being read, the outermost first.
    pub(crate) including: Vec<Arc<str>>,
    pub(crate) depth: u32,
    /// The filter that is being read.
    pub(crate) written: Written,
    root: NodeId,
    /// Not `None`: only default variants, except in the blocks of these names.
    defaults: Option<Vec<String>>,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// A parser that has read nothing yet.
    pub fn new() -> Self {
        let mut tree = Tree::default();
        let root = tree.add_node();
        Self {
            tree,
            diagnostics: Vec::new(),
            including: Vec::new(),
            depth: 0,
            written: Written::default(),
            root,
            defaults: None,
        }
    }

    /// A parser whose configuration gives only the default variant of each block that has one
    /// (`- @name:` or `[default=name]`), as long as that gives any variant at all.
    /// Blocks named in `expand` (`variants NAME:`) give all their variants nevertheless, and so
    /// does the last block inside of each of these, its default first.
    pub fn with_defaults<S: Into<String>>(expand: impl IntoIterator<Item = S>) -> Self {
        let defaults = Some(expand.into_iter().map(Into::into).collect());
        Self { defaults, ..Self::new() }
    }

    /// From now on as [`Parser::with_defaults`] has it, or with `None` all variants again; what was
    /// read stays.
    pub fn set_defaults(&mut self, expand: Option<Vec<String>>) {
        self.defaults = expand;
    }

    /// Reads a source; `include` finds the files that it includes.
    pub fn parse(&mut self, source: Source, include: &mut dyn Include) {
        let mut target = Target::node(self.root);
        if let Some(mut cursor) = self.open(source, None) {
            let mut reading = Reading { parser: self, include };
            reading.source(&mut cursor, &mut target);
        }
        self.root = target.close(&mut self.tree);
    }

    /// Reads further statements, for example from a command line. They are called
    /// `<command line>` in diagnostics and cannot include anything.
    pub fn statement(&mut self, text: &str) {
        self.parse(Source::new("<command line>", text), &mut NoInclude);
    }

    /// What was found so far.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Takes out what was found so far: what is found later is told from it, and from a parser
    /// that tells a limited number of things.
    pub fn take_diagnostics(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.diagnostics)
    }

    /// What the configuration holds so far.
    pub fn census(&self) -> Census<'_> {
        Census::new(&self.tree, self.root)
    }

    /// What sources of this name say that was hardly meant, as far as it is seen at once: filters
    /// that name a label which no variant has, conditions with nothing in them. Warnings, in the
    /// order of the text. It costs as much as is in these sources, and a look at each label.
    pub fn slips(&self, source: &str) -> Vec<Diagnostic> {
        lint::slips_in(&self.tree, source)
    }

    /// Warnings of the keys that sources of this name set or delete, in the order of the text, but
    /// not of expressions over keys (`?=`). `tell` is given a key, and whether it is deleted; what
    /// it gives back is the message, and what would be right.
    pub fn keys_in(
        &self,
        source: &str,
        tell: impl FnMut(&str, bool) -> Option<(String, Option<String>)>,
    ) -> Vec<Diagnostic> {
        lint::keys_in(&self.tree, source, tell)
    }

    /// The configuration, made of every statement that had no error, and all that was found.
    pub fn finish(self) -> (Config, Vec<Diagnostic>) {
        (Config::new(self.tree, self.root, self.defaults), self.diagnostics)
    }

    /// Takes a text in. `by` is the `include` statement that asked for it.
    pub(crate) fn open(&mut self, source: Source, by: Option<Span>) -> Option<Cursor> {
        let Source { name, text } = source;
        let zero = memchr::memchr(0, text.as_bytes());
        // A binary file is not worth keeping; the beginning is enough to point at.
        let text = match zero {
            Some(at) => {
                let start = memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |at| at + 1);
                let lines = memchr::memchr_iter(b'\n', &text.as_bytes()[..start]).count();
                let end = if at - start <= limits::LINE_BYTES { at } else { start };
                "\n".repeat(lines.min(limits::LINE_BYTES)) + &text[start..end] + "\n"
            }
            None => text,
        };
        let Some(file) = self.tree.sources.add(name.clone(), text) else {
            let message = format!("`{name}` makes the configuration larger than 1 GiB");
            let at = by.unwrap_or_else(|| self.nowhere(&name));
            self.report(Severity::Error, at, message, None);
            return None;
        };
        let opened = &self.tree.sources.files[file];
        if zero.is_some() {
            let end = opened.base + crate::tree::label::number(opened.text.len()) - 1;
            let message = "a zero byte: this is not a text file".to_owned();
            self.report(Severity::Error, Span { start: end, len: 0 }, message, None);
            return None;
        }
        let file = crate::tree::label::number(file);
        if let Some(by) = by {
            self.tree.spans.includes.insert(file, by);
        }
        Some(Cursor::new(opened, file))
    }

    pub(crate) fn error(&mut self, at: Span, message: String, help: &str) {
        self.report(Severity::Error, at, message, Some(help.to_owned()));
    }

    pub(crate) fn report(
        &mut self,
        severity: Severity,
        at: Span,
        message: String,
        help: Option<String>,
    ) {
        if self.diagnostics.len() >= limits::DIAGNOSTICS {
            return;
        }
        let sources = &self.tree.sources;
        self.diagnostics.push(Diagnostic::at(sources, at, severity, message, help));
    }

    /// A place to point at in a source that was not taken in.
    fn nowhere(&mut self, name: &Arc<str>) -> Span {
        let file = self.tree.sources.add(name.clone(), String::new());
        Span { start: file.map_or(0, |file| self.tree.sources.files[file].base), len: 0 }
    }
}
