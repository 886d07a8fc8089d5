//! `variants` blocks.

use crate::parser::block::{Reading, Scope, Target};
use crate::parser::cursor::{Cursor, Line};
use crate::parser::scan;
use crate::tree::label::{Label, Symbol, number};
use crate::tree::operation::Kind;
use crate::tree::{Head, NodeId};
use std::ops::Range;

/// What stands behind the word `variants`.
#[derive(Default)]
struct Header {
    name: Option<Range<usize>>,
    /// The values of `[default=…]`.
    defaults: Vec<Range<usize>>,
}

/// What stands in the line of a variant.
struct Entry {
    at: bool,
    name: Range<usize>,
    deps: Vec<Range<usize>>,
}

type Fault = (Range<usize>, String, &'static str);

const NAMING: &str = "write `variants:`, `variants name:` or `variants name [default=label]:`";
const ENTRY: &str = "write `- name:`, with what it needs to have run before after the colon";

impl Reading<'_> {
    /// `rest` is where the line goes on after the word.
    pub(crate) fn variants(
        &mut self,
        cursor: &mut Cursor,
        line: &Line,
        rest: usize,
        target: &mut Target,
    ) {
        let Scope::Node(below) = target.scope else {
            let message = "`variants` in a conditional block".to_owned();
            let help =
                "write the block outside, and the condition as `only` or `no` in its variants";
            self.error(cursor, line.range.clone(), message, help);
            cursor.skip_deeper(line.indent);
            return;
        };
        let text = cursor.text.clone();
        let header = header(&text[..line.range.end], rest).unwrap_or_else(|fault| {
            self.error(cursor, fault.0, fault.1, fault.2);
            Header::default()
        });
        let name = header.name.clone().map(|name| self.parser.tree.strings.intern(&text[name]));
        let mut variants = Vec::new();
        let mut default = None;
        let mut found = vec![false; header.defaults.len()];
        let mut had_fault = false;
        while let Some(inner) = cursor.deeper(Some(line.indent)) {
            let entry = match entry(&text, inner.range.clone()) {
                Ok(entry) => entry,
                Err(fault) => {
                    had_fault = true;
                    self.error(cursor, fault.0, fault.1, fault.2);
                    cursor.skip_deeper(inner.indent);
                    continue;
                }
            };
            let mut hidden = entry.at;
            for (default, found) in header.defaults.iter().zip(&mut found) {
                // Of variants with the same name the first is meant.
                if !*found && names(&text[default.clone()], &text[entry.name.clone()]) {
                    hidden = true;
                    *found = true;
                }
            }
            if hidden && default.is_none() {
                default = Some(number(variants.len()));
            }
            let block = header.name.clone().zip(name);
            variants.push(self.variant(cursor, &inner, &entry, hidden, below, block));
        }
        for (default, _) in header.defaults.iter().zip(found).filter(|(_, found)| !found) {
            let message = format!("no variant of the block is called `{}`", &text[default.clone()]);
            let help = "`default` names one of the variants below";
            self.error(cursor, default.clone(), message, help);
        }
        if variants.is_empty() {
            if !had_fault {
                let message = "a `variants` block without variants".to_owned();
                let help = "write them below, indented by more, one `- name:` a line";
                self.error(cursor, line.range.clone(), message, help);
            }
            return;
        }
        let node = self.parser.tree.add_node();
        self.parser.tree.set_children(node, variants);
        self.parser.tree.node_mut(node).default = default;
        if let Some(name) = name {
            self.parser.tree.blocks.insert(node, name);
        }
        target.scope = Scope::Node(node);
    }

    fn variant(
        &mut self,
        cursor: &mut Cursor,
        line: &Line,
        entry: &Entry,
        hidden: bool,
        below: NodeId,
        block: Option<(Range<usize>, Symbol)>,
    ) -> NodeId {
        let text = cursor.text.clone();
        let inner = self.parser.tree.add_node();
        self.parser.tree.set_children(inner, vec![below]);
        let number = self.parser.tree.spans.enter(inner);
        let mut target = Target::node(inner);
        let mut variable = None;
        if let Some((key, name)) = block {
            variable = Some(name);
            self.assign_name(cursor, key, entry.name.clone(), line, &mut target);
        }
        self.block(cursor, &mut target, Some(line.indent));
        let node = target.close(&mut self.parser.tree);
        let tree = &mut self.parser.tree;
        tree.spans.leave(number, node);
        let mut labels = Vec::new();
        for label in text[entry.name.clone()].split('.') {
            let name = tree.strings.intern(label);
            labels.push(tree.labels.intern(Label { variable, name }));
        }
        let deps = entry.deps.iter().map(|dep| cursor.span(dep.clone())).collect();
        let at = cursor.span(line.range.clone());
        let head = Head { labels, deps, hidden, file: cursor.file, at };
        self.parser.tree.node_mut(node).head = head;
        node
    }

    /// In a block called `os`, each variant begins with `os = its name`.
    fn assign_name(
        &mut self,
        cursor: &Cursor,
        key: Range<usize>,
        name: Range<usize>,
        line: &Line,
        target: &mut Target,
    ) {
        let text = cursor.text.clone();
        let before = self.parser.tree.operations.len();
        self.assign(cursor, (0, &text), key, Kind::Set, name, target);
        if let Some(operation) = self.parser.tree.operations.get_mut(before) {
            operation.at = cursor.global(line.range.start);
        }
    }
}

/// `name [key=value] [flag]:`
fn header(text: &str, rest: usize) -> Result<Header, Fault> {
    let range = scan::before_comment(text, rest);
    let end = range.end;
    let mut at = range.start;
    let mut header = Header::default();
    loop {
        at += text[at..end].len() - text[at..end].trim_start().len();
        match text[at..end].chars().next() {
            None => {
                return Err((rest..end, "a `variants` line without a colon".to_owned(), NAMING));
            }
            Some(':') if at + 1 == end => return Ok(header),
            Some(':') => {
                let message = "something after the colon of `variants`".to_owned();
                return Err((at + 1..end, message, "variants are listed in the lines below"));
            }
            Some('[') => {
                let Some(length) = text[at..end].find(']') else {
                    return Err((at..end, "a bracket that is not closed".to_owned(), NAMING));
                };
                meta(text, at + 1..at + length, &mut header)?;
                at += length + 1;
            }
            Some(_) => {
                let length = text[at..end].find(|c| !scan::is_word(c)).unwrap_or(end - at);
                if length == 0 || header.name.is_some() || text[range.start..at].contains('[') {
                    let message = "a `variants` line that goes on after its name".to_owned();
                    return Err((at..end, message, NAMING));
                }
                header.name = Some(at..at + length);
                at += length;
            }
        }
    }
}

fn meta(text: &str, range: Range<usize>, header: &mut Header) -> Result<(), Fault> {
    let inside = scan::trim(text, range);
    let written = &text[inside.clone()];
    let equals = written.find('=').unwrap_or(written.len());
    let key = scan::trim(text, inside.start..inside.start + equals);
    if key.is_empty() || !text[key.clone()].chars().all(scan::is_word) {
        return Err((inside, format!("`[{written}]` is no property of a block"), NAMING));
    }
    if &text[key] != "default" {
        return Ok(());
    }
    let value = scan::trim(text, (inside.start + equals + 1).min(inside.end)..inside.end);
    if value.is_empty() {
        return Err((inside, "`default` without a label".to_owned(), NAMING));
    }
    header.defaults.push(value);
    Ok(())
}

/// `- @name.label: dep dep`
fn entry(text: &str, line: Range<usize>) -> Result<Entry, Fault> {
    let Some(rest) = text[line.clone()].strip_prefix('-') else {
        let message = "a line of a `variants` block that lists no variant".to_owned();
        return Err((line, message, "begin it with `-`, or indent it by more than the variant"));
    };
    let start = line.end - rest.trim_start().len();
    let at = text[start..line.end].starts_with('@');
    let start = start + usize::from(at);
    let Some(length) = text[start..line.end].find(':') else {
        return Err((line, "a variant without a colon".to_owned(), ENTRY));
    };
    let name = start..scan::trim(text, start..start + length).end.max(start);
    for label in text[name.clone()].split('.') {
        if label.is_empty() || !label.chars().all(scan::is_word) {
            let message = format!("`{}` is no name of a variant", &text[name.clone()]);
            let help = "a name has letters, digits, `_` and `-`; a dot separates labels";
            return Err((name, message, help));
        }
    }
    let deps = deps(&text[..line.end], start + length + 1)?;
    Ok(Entry { at, name, deps })
}

fn deps(text: &str, rest: usize) -> Result<Vec<Range<usize>>, Fault> {
    let mut deps = Vec::new();
    let range = scan::before_comment(text, rest);
    // Only separators of one byte: positions are counted from the lengths of the words.
    let is_separator = |c: char| c.is_ascii_whitespace() || c == ',';
    let mut at = range.start;
    for word in text[range].split(is_separator) {
        let mut start = at;
        for dep in word.split("..") {
            let legal = |c| scan::is_word(c) || matches!(c, '.' | '(' | ')' | '=');
            if let Some(strange) = dep.find(|c| !legal(c)) {
                let message = format!("`{dep}` is not the name of another variant");
                let help = "statements of a variant stand in the lines below it, indented by more";
                return Err((start + strange..start + dep.len(), message, help));
            }
            if dep.contains('=') && !dep.contains('(') {
                let message = "an assignment in the line of a variant".to_owned();
                let help = "write it in the line below, indented by more";
                return Err((start..start + dep.len(), message, help));
            }
            if !dep.is_empty() {
                deps.push(start..start + dep.len());
            }
            start += dep.len() + 2;
        }
        at += word.len() + 1;
    }
    Ok(deps)
}

/// Whether `[default=…]` means this variant: one of them begins with all labels of the other.
fn names(default: &str, variant: &str) -> bool {
    default.split('.').zip(variant.split('.')).all(|(wanted, label)| wanted == label)
}
