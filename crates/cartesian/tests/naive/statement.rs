//! Texts as trees: what a generator makes, what the reader gives, and how it is written down.

use std::fmt;

/// One statement with everything that belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Statement {
    /// The operator is one of `= += <= ~= ?= ?+= ?<=`.
    Assign {
        key: String,
        operator: String,
        value: String,
    },
    Delete(String),
    Only(Filter),
    No(Filter),
    When {
        negated: bool,
        filter: Filter,
        body: Vec<Statement>,
    },
    Suffix(String),
    Join(Filter),
    Variants(Block),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Block {
    pub(crate) name: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) variants: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// Written with an `@`.
    pub(crate) hidden: bool,
    /// `a`, or several labels: `a.b`.
    pub(crate) name: String,
    pub(crate) deps: Vec<String>,
    pub(crate) body: Vec<Statement>,
}

/// Any of the words; of a word all sequences, in any order; of a sequence the labels in a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Filter(pub(crate) Vec<Vec<Vec<Label>>>);

/// `f`, or `(os=f)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Label {
    pub(crate) block: Option<String>,
    pub(crate) name: String,
}

/// The text of some statements.
pub(crate) fn text(statements: &[Statement]) -> String {
    let mut lines = Vec::new();
    write(statements, "", &mut lines);
    lines.concat()
}

fn write(statements: &[Statement], indent: &str, lines: &mut Vec<String>) {
    let deeper = format!("{indent}    ");
    for statement in statements {
        lines.push(format!("{indent}{}\n", line(statement)));
        match statement {
            Statement::When { body, .. } => write(body, &deeper, lines),
            Statement::Variants(block) => {
                for Entry { hidden, name, deps, body } in &block.variants {
                    let mark = if *hidden { "@" } else { "" };
                    let line = format!("{indent}  - {mark}{name}: {}", deps.join(" "));
                    lines.push(format!("{}\n", line.trim_end()));
                    write(body, &deeper, lines);
                }
            }
            _ => {}
        }
    }
}

fn line(statement: &Statement) -> String {
    match statement {
        Statement::Assign { key, operator, value } => format!("{key} {operator} {value}"),
        Statement::Delete(key) => format!("del {key}"),
        Statement::Only(filter) => format!("only {filter}"),
        Statement::No(filter) => format!("no {filter}"),
        Statement::Suffix(suffix) => format!("suffix {suffix}"),
        Statement::Join(filter) => format!("join {filter}"),
        Statement::When { negated: true, filter, .. } => format!("!{filter}:"),
        Statement::When { negated: false, filter, .. } => format!("{filter}:"),
        Statement::Variants(block) => {
            let name = block.name.as_ref().map(|name| format!(" {name}"));
            let default = block.default.as_ref().map(|label| format!(" [default={label}]"));
            format!("variants{}{}:", name.unwrap_or_default(), default.unwrap_or_default())
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = |labels: &Vec<Label>| {
            labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
        };
        let word = |sequences: &Vec<Vec<Label>>| {
            sequences.iter().map(sequence).collect::<Vec<_>>().join("..")
        };
        write!(f, "{}", self.0.iter().map(word).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.block {
            Some(block) => write!(f, "({block}={})", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}
