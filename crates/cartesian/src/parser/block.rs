//! The statements of one scope.

use crate::diagnostic::Severity;
use crate::include::{Include, NotIncluded};
use crate::limits;
use crate::parser::Parser;
use crate::parser::cursor::{Cursor, Line};
use crate::parser::scan::{self, Form};
use crate::parser::written::{self, Blanks};
use crate::tree::filter::FilterId;
use crate::tree::label::number;
use crate::tree::operation::{Kind, Operation, Pattern, Template};
use crate::tree::source::Span;
use crate::tree::spans::FilterSpan;
use crate::tree::{Condition, Item, NodeId, Suffix, Tree};
use std::ops::Range;

/// Keys that the language sets itself.
pub(crate) const RESERVED: [&str; 5] =
    ["name", "shortname", "dep", "_name_map_file", "_short_name_map_file"];

/// One reading of one source and what it includes.
pub(crate) struct Reading<'a> {
    pub(crate) parser: &'a mut Parser,
    pub(crate) include: &'a mut dyn Include,
}

/// Where the statements of a scope go.
pub(crate) struct Target {
    pub(crate) scope: Scope,
    /// The last `suffix` of the scope. It counts from the scope's end on.
    suffix: Option<u32>,
}

pub(crate) enum Scope {
    /// The outermost scope or a variant: a `variants` block replaces the node by its own.
    Node(NodeId),
    Condition(Vec<Item>),
}

impl Target {
    pub(crate) fn node(node: NodeId) -> Self {
        Self { scope: Scope::Node(node), suffix: None }
    }

    fn condition() -> Self {
        Self { scope: Scope::Condition(Vec::new()), suffix: None }
    }

    pub(crate) fn push(&mut self, tree: &mut Tree, item: Item) {
        match &mut self.scope {
            Scope::Node(node) => tree.node_mut(*node).items.push(item),
            Scope::Condition(items) => items.push(item),
        }
    }

    /// Ends the scope of a node.
    pub(crate) fn close(mut self, tree: &mut Tree) -> NodeId {
        self.end(tree);
        match self.scope {
            Scope::Node(node) => node,
            Scope::Condition(_) => unreachable!("a condition is ended by its statement"),
        }
    }

    fn end(&mut self, tree: &mut Tree) {
        if let Some(suffix) = self.suffix.take() {
            self.push(tree, Item::Suffix(suffix));
        }
    }
}

impl Reading<'_> {
    /// All of a source.
    pub(crate) fn source(&mut self, cursor: &mut Cursor, target: &mut Target) {
        self.parser.including.push(cursor.name.clone());
        self.block(cursor, target, None);
        self.parser.including.pop();
    }

    /// The statements that are indented by more than `than`.
    pub(crate) fn block(&mut self, cursor: &mut Cursor, target: &mut Target, than: Option<usize>) {
        if self.parser.depth >= limits::NESTING {
            if let Some(line) = cursor.deeper(than) {
                let message = format!("more than {} blocks inside one another", limits::NESTING);
                self.error(cursor, line.range, message, "make it flatter");
                while cursor.deeper(than).is_some() {}
            }
            return;
        }
        self.parser.depth += 1;
        while let Some(line) = cursor.deeper(than) {
            if line.too_long {
                let message = format!("a line of more than {} bytes", limits::LINE_BYTES);
                let start = line.range.start;
                self.error(cursor, start..start, message, "is this a text file?");
                continue;
            }
            self.statement(cursor, line, target);
        }
        self.parser.depth -= 1;
    }

    fn statement(&mut self, cursor: &mut Cursor, line: Line, target: &mut Target) {
        let whole = cursor.text.clone();
        let text = &whole[line.range.clone()];
        let base = line.range.start;
        match scan::form(text) {
            Form::Variants(rest) => self.variants(cursor, &line, base + rest, target),
            Form::Include(path) => self.include(cursor, base + path.start..base + path.end, target),
            Form::Only(rest) => {
                if let Some(filter) = self.filter_line(cursor, text, base, rest) {
                    target.push(&mut self.parser.tree, Item::Only(filter));
                }
            }
            Form::No(rest) => {
                if let Some(filter) = self.filter_line(cursor, text, base, rest) {
                    target.push(&mut self.parser.tree, Item::No(filter));
                }
            }
            Form::Join(rest) => self.join(cursor, text, base, rest, target),
            Form::Suffix(rest) => {
                let word = scan::before_comment(text, rest);
                if self.one_word(cursor, text, base, word.clone(), "suffix _first") {
                    let word = self.parser.tree.strings.intern(&text[word]);
                    let at = cursor.span(line.range);
                    self.parser.tree.suffixes.push(Suffix { word, at });
                    target.suffix = Some(number(self.parser.tree.suffixes.len() - 1));
                }
            }
            Form::Delete(rest) => {
                let word = scan::before_comment(text, rest);
                if self.one_word(cursor, text, base, word.clone(), "del key") {
                    let value = word.end..word.end;
                    self.assign(cursor, (base, text), word, Kind::Delete, value, target);
                }
            }
            Form::Condition { negated, filter, rest } => {
                self.condition(cursor, &line, negated, filter, rest, target);
            }
            Form::Assignment { key, kind, value } => {
                self.assign(cursor, (base, text), key, kind, value, target);
            }
            Form::StrayVariant => {
                let message = "a variant outside of a `variants` block".to_owned();
                let help = "write `variants:` in the line before, and indent the variants below it";
                self.error(cursor, line.range, message, help);
                cursor.skip_deeper(line.indent);
            }
            Form::Unknown => {
                let message = "this is no statement".to_owned();
                let help = "write `key = value`, `only …`, `no …`, or a filter and a colon";
                self.error(cursor, line.range, message, help);
            }
        }
    }

    /// The filter of `only`, `no` and `join`.
    fn filter_line(
        &mut self,
        cursor: &Cursor,
        text: &str,
        base: usize,
        rest: usize,
    ) -> Option<FilterId> {
        let range = scan::before_comment(text, rest);
        if range.is_empty() {
            let message = format!("`{}` without a filter", &text[..rest]);
            self.error(cursor, base..base + rest, message, "write the labels after it");
            return None;
        }
        self.filter(cursor, text, base, 0..range.end, range, Blanks::Or)
    }

    fn filter(
        &mut self,
        cursor: &Cursor,
        text: &str,
        base: usize,
        statement: Range<usize>,
        range: Range<usize>,
        blanks: Blanks,
    ) -> Option<FilterId> {
        let Parser { tree, written, .. } = &mut *self.parser;
        match written::filter(&text[range.clone()], blanks, &mut tree.strings, written) {
            Ok(()) => {
                let whole = |range: Range<usize>| cursor.span(base + range.start..base + range.end);
                let span = FilterSpan { statement: whole(statement), filter: whole(range) };
                tree.spans.filters.push(span);
                Some(tree.filters.add(written))
            }
            Err(complaint) => {
                let start = base + range.start;
                let bytes = start + complaint.bytes.start..start + complaint.bytes.end;
                self.error(cursor, bytes, complaint.message, complaint.help);
                None
            }
        }
    }

    fn join(&mut self, cursor: &Cursor, text: &str, base: usize, rest: usize, target: &mut Target) {
        let Some(filter) = self.filter_line(cursor, text, base, rest) else { return };
        let at = cursor.span(base..base + text.len());
        let Scope::Node(node) = target.scope else {
            let help = "write it in a variant, or outside of all blocks";
            let message = "`join` in a conditional block has no effect".to_owned();
            self.parser.report(Severity::Warning, at, message, Some(help.to_owned()));
            return;
        };
        let span = self.parser.tree.spans.filters[filter.0 as usize];
        let words = self.parser.tree.filters.split(filter);
        self.parser.tree.spans.filters.extend(words.iter().map(|_| span));
        let joined = self.parser.tree.joined(node, words.len() as u64);
        if joined.paths > limits::JOINED || joined.depth > limits::NESTING {
            let message = format!(
                "a `join` that makes one variant out of more than {} or stands in more than {} others",
                limits::JOINED,
                limits::NESTING
            );
            self.parser.error(at, message, "join fewer: joins of what is joined already multiply");
            return;
        }
        for word in words {
            self.parser.tree.add_join(node, word);
        }
    }

    fn one_word(
        &mut self,
        cursor: &Cursor,
        text: &str,
        base: usize,
        word: Range<usize>,
        example: &str,
    ) -> bool {
        let found = &text[word.clone()];
        if !found.is_empty() && found.chars().all(scan::is_word) {
            return true;
        }
        let statement = example.split(' ').next().unwrap_or_default();
        let message = format!("`{statement}` takes one word of letters, digits, `_` and `-`");
        let help = format!("write for example `{example}`");
        self.error(cursor, base + word.start..base + word.end, message, &help);
        false
    }

    fn condition(
        &mut self,
        cursor: &mut Cursor,
        line: &Line,
        negated: bool,
        filter: Range<usize>,
        rest: usize,
        target: &mut Target,
    ) {
        let whole = cursor.text.clone();
        let text = &whole[line.range.clone()];
        let base = line.range.start;
        let filter = self.filter(cursor, text, base, 0..filter.end, filter, Blanks::Refused);
        let mut body = Target::condition();
        let rest = scan::trim(text, rest..text.len());
        if text[rest.clone()].starts_with('#') {
            let message = "a comment after a condition".to_owned();
            let help = "write the comment in a line of its own";
            self.error(cursor, base + rest.start..base + rest.end, message, help);
        } else if !rest.is_empty() {
            let range = base + rest.start..base + rest.end;
            if self.parser.depth < limits::NESTING {
                self.parser.depth += 1;
                let inner = Line { indent: line.indent, range, too_long: false };
                self.statement(cursor, inner, &mut body);
                self.parser.depth -= 1;
            } else {
                let message = format!("more than {} conditions in a row", limits::NESTING);
                self.error(cursor, range, message, "write fewer");
            }
        }
        self.block(cursor, &mut body, Some(line.indent));
        body.end(&mut self.parser.tree);
        let (Some(filter), Scope::Condition(items)) = (filter, body.scope) else { return };
        if items.is_empty() {
            return;
        }
        let tree = &mut self.parser.tree;
        let decides = tree.decides(&items);
        tree.conditions.push(Condition { filter, negated, body: items.into(), decides });
        let condition = Item::When(number(tree.conditions.len() - 1));
        target.push(tree, condition);
    }

    fn include(&mut self, cursor: &Cursor, path: Range<usize>, target: &mut Target) {
        let at = cursor.span(path.clone());
        let path = &cursor.text[path];
        if path.is_empty() {
            self.parser.error(at, "`include` without a file".to_owned(), "write its path after it");
            return;
        }
        if self.parser.including.len() > limits::INCLUDES {
            let message = format!("more than {} files including one another", limits::INCLUDES);
            self.parser.error(at, message, "make it flatter");
            return;
        }
        let source = match self.include.load(path, &cursor.name) {
            Ok(source) => source,
            Err(NotIncluded { why, help }) => {
                let message = format!("failed to include `{path}`: {why}");
                self.parser.report(Severity::Error, at, message, help);
                return;
            }
        };
        if self.parser.including.contains(&source.name) {
            let message = format!("`{}` includes itself", source.name);
            self.parser.error(at, message, "take one of the `include` statements away");
            return;
        }
        if let Some(mut included) = self.parser.open(source, Some(at)) {
            let outer = target.suffix.take();
            self.source(&mut included, target);
            target.end(&mut self.parser.tree);
            target.suffix = outer;
        }
    }

    pub(crate) fn assign(
        &mut self,
        cursor: &Cursor,
        (base, text): (usize, &str),
        key: Range<usize>,
        kind: Kind,
        value: Range<usize>,
        target: &mut Target,
    ) {
        let name = &text[key.clone()];
        let at = cursor.span(base + key.start..base + key.end);
        let key = if kind.is_pattern() {
            match Pattern::new(name, &mut self.parser.tree.strings) {
                Ok(pattern) => {
                    self.parser.tree.patterns.push(pattern);
                    number(self.parser.tree.patterns.len() - 1)
                }
                Err(why) => {
                    let message = format!("`{name}` is no regular expression: {why}");
                    self.parser.error(at, message, "the left side of `?=` matches whole keys");
                    return;
                }
            }
        } else {
            if !self.is_key(at, name) {
                return;
            }
            self.parser.tree.strings.intern(name).0
        };
        let value = scan::unquote(text, value);
        let span = cursor.span(base + value.start..base + value.end);
        let tree = &mut self.parser.tree;
        let template = Template::parse(&text[value], span, &mut tree.strings).map(|template| {
            tree.templates.push(template);
            number(tree.templates.len() - 1)
        });
        tree.operations.push(Operation { kind, key, value: span, template, at: at.start });
        let item = Item::Assign(number(tree.operations.len() - 1));
        target.push(tree, item);
    }

    fn is_key(&mut self, at: Span, name: &str) -> bool {
        // The most are one word, and a word is a key.
        let is_word = scan::word_end(name, 0) == name.len();
        let is_odd = || name.starts_with(['(', '!']) || (name.contains('(') && !name.contains(')'));
        if !is_word && is_odd() {
            let message = format!("`{name}` is no key");
            let help = "a condition ends in a colon: `(name=value): key = value`";
            self.parser.error(at, message, help);
            return false;
        }
        if RESERVED.contains(&name) {
            let message = format!("`{name}` is set by the language: the statement has no effect");
            let help = Some("take another key".to_owned());
            self.parser.report(Severity::Warning, at, message, help);
            return false;
        }
        true
    }

    pub(crate) fn error(
        &mut self,
        cursor: &Cursor,
        range: Range<usize>,
        message: String,
        help: &str,
    ) {
        let at = cursor.span(range);
        self.parser.error(at, message, help);
    }
}
