//! Small texts made at random, without faults: everything that lint has an opinion on.

use proptest::prelude::*;

/// A statement and what stands below it.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    /// A line that has no block.
    Line(String),
    /// `only` or `no`.
    Filter(String),
    /// A filter with a colon. `m7 = 1` for each name that it holds for, 7 being its line.
    Condition(String, Vec<Statement>),
    /// The line of the block, and its variants. `s7 = 1` for each name through the one in line 7.
    Variants(String, Vec<(String, Vec<Statement>)>),
}

/// A text as lines.
pub(crate) fn text() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(statement(), 1..5).prop_map(|statements| {
        let mut lines = Vec::new();
        write(&statements, 0, &mut lines);
        lines
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let leaf = prop_oneof![
        2 => assignment().prop_map(Statement::Line),
        2 => filter_line().prop_map(Statement::Filter),
        2 => condition(Just(Vec::new()).boxed()),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        let body = prop::collection::vec(inner, 0..3).boxed();
        let entry = ("@?[a-e](\\.[a-e])?", body.clone());
        let head = prop_oneof![3 => Just("variants:"), 1 => Just("variants o:")];
        prop_oneof![
            4 => (head, prop::collection::vec(entry, 1..4))
                .prop_map(|(head, entries)| Statement::Variants(head.to_owned(), entries)),
            1 => condition(body.prop_map(without_blocks).boxed()),
        ]
    })
}

fn condition(body: BoxedStrategy<Vec<Statement>>) -> impl Strategy<Value = Statement> {
    let more = prop::option::of(filter_line().prop_map(Statement::Filter));
    ("!?", filter(), body, more).prop_map(|(negated, filter, mut body, more)| {
        body.extend(more);
        Statement::Condition(format!("{negated}{filter}:"), body)
    })
}

fn without_blocks(statements: Vec<Statement>) -> Vec<Statement> {
    let mut statements = statements;
    statements.retain(|statement| !matches!(statement, Statement::Variants(..)));
    statements
}

fn assignment() -> impl Strategy<Value = String> {
    let operator = prop_oneof![
        4 => Just(" = "), 1 => Just(" += "), 1 => Just(" ~= "), 1 => Just(" ?= "), 1 => Just(" ?+= "),
    ];
    let value = prop_oneof![4 => "[0-9]", 1 => "\\$\\{k[1-3]\\}"];
    ("k[1-3]", operator, value).prop_map(|(key, operator, value)| key + operator + &value)
}

fn filter_line() -> impl Strategy<Value = String> {
    (prop_oneof![Just("only "), Just("no ")], filter())
        .prop_map(|(word, filter)| word.to_owned() + &filter)
}

/// Of the labels that variants have, and one that none has.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let label = prop_oneof![12 => "[a-e]", 1 => "\\(o=[a-e]\\)", 1 => "z"];
    let more = prop::option::weighted(0.3, (prop_oneof![Just("."), Just("..")], label.clone()));
    let word = (label, more).prop_map(|(label, more)| match more {
        Some((dots, other)) => label + dots + &other,
        None => label,
    });
    prop::collection::vec(word, 1..3).prop_map(|words| words.join(", "))
}

fn write(statements: &[Statement], indent: usize, lines: &mut Vec<String>) {
    let blanks = " ".repeat(indent);
    for statement in statements {
        match statement {
            Statement::Line(line) | Statement::Filter(line) => lines.push(blanks.clone() + line),
            Statement::Condition(filter, body) => {
                lines.push(blanks.clone() + filter);
                lines.push(format!("{blanks}    m{} = 1", lines.len()));
                write(body, indent + 4, lines);
            }
            Statement::Variants(head, entries) => {
                lines.push(blanks.clone() + head);
                for (name, body) in entries {
                    lines.push(format!("{blanks}    - {name}:"));
                    lines.push(format!("{blanks}        s{} = 1", lines.len()));
                    write(body, indent + 8, lines);
                }
            }
        }
    }
}
