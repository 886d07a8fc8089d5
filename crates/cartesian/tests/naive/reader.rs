//! From a text to its statements: as much of the language as the expander knows, and no faults.

use crate::statement::{Block, Entry, Filter, Label, Statement};
use std::iter::Peekable;
use std::vec::IntoIter;

type Lines<'a> = Peekable<IntoIter<(usize, &'a str)>>;

/// The statements of a text without faults.
pub(crate) fn read(text: &str) -> Vec<Statement> {
    let lines = text.lines().map(|line| (line.len() - line.trim_start().len(), line.trim()));
    let is_statement = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines: Vec<_> = lines.filter(|(_, line)| is_statement(line)).collect();
    statements(&mut lines.into_iter().peekable(), None)
}

/// The lines that are indented by more than `than`.
fn statements(lines: &mut Lines<'_>, than: Option<usize>) -> Vec<Statement> {
    let mut found = Vec::new();
    while let Some((indent, line)) = lines.next_if(|(indent, _)| Some(*indent) > than) {
        found.push(statement(lines, indent, line));
    }
    found
}

fn statement(lines: &mut Lines<'_>, indent: usize, line: &str) -> Statement {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word.trim_end_matches(':') {
        "variants" => return Statement::Variants(block(lines, indent, line)),
        "only" => return Statement::Only(filter(rest)),
        "no" => return Statement::No(filter(rest)),
        "join" => return Statement::Join(filter(rest)),
        "suffix" => return Statement::Suffix(rest.into()),
        "del" => return Statement::Delete(rest.into()),
        _ => {}
    }
    if let Some((key, value)) = line.split_once(" = ") {
        return Statement::Assign { key: key.into(), operator: "=".into(), value: value.into() };
    }
    for operator in ["?+=", "?<=", "?=", "+=", "<=", "~="] {
        if let Some((key, value)) = line.split_once(&format!(" {operator} ")) {
            let operator = operator.into();
            return Statement::Assign { key: key.into(), operator, value: value.into() };
        }
    }
    let written = line.strip_suffix(':').expect("a condition ends in a colon");
    let negated = written.starts_with('!');
    let filter = filter(written.trim_start_matches('!'));
    Statement::When { negated, filter, body: statements(lines, Some(indent)) }
}

fn block(lines: &mut Lines<'_>, indent: usize, line: &str) -> Block {
    let head = line.strip_prefix("variants").and_then(|head| head.strip_suffix(':'));
    let (name, default) = match head.expect("`variants` ends in a colon").split_once(" [default=") {
        Some((name, default)) => (name, default.strip_suffix(']').map(str::to_owned)),
        None => (head.unwrap_or_default(), None),
    };
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut variants = Vec::new();
    while let Some((inner, line)) = lines.next_if(|(inner, _)| *inner > indent) {
        let (name, deps) = line.split_once(':').expect("a variant has a colon");
        let name = name.strip_prefix("- ").expect("a variant begins with a dash");
        variants.push(Entry {
            hidden: name.starts_with('@'),
            name: name.trim_start_matches('@').into(),
            deps: deps.split_whitespace().map(str::to_owned).collect(),
            body: statements(lines, Some(inner)),
        });
    }
    Block { name, default, variants }
}

pub(crate) fn filter(text: &str) -> Filter {
    let sequence = |text: &str| text.split('.').map(label).collect();
    let word = |text: &str| text.split("..").map(sequence).collect();
    Filter(text.split([',', ' ']).filter(|word| !word.is_empty()).map(word).collect())
}

fn label(text: &str) -> Label {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    match inside.and_then(|inside| inside.split_once('=')) {
        Some((block, name)) => Label { block: Some(block.into()), name: name.into() },
        None => Label { block: None, name: inside.unwrap_or(text).into() },
    }
}
