//! A page of the book, and the examples on it.
//!
//! - A block `cfg` is a file, called `tests.cfg`, or as the comment in its first line says.
//! - A block `console` has commands after `$ `, each with what it prints below it.
//! - A block `sh` has commands that would start machines; `list` takes their place.
//! - A table `written | params` has small configurations, and the params of their only variant.
//! - A table `added | left` has statements, and the names that are left when each is given after
//!   `tests.cfg`.
//!
//! Other blocks are refused: nothing on a page is there that nobody runs.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

/// Lines, and the examples among them.
pub(crate) struct Page {
    lines: Vec<String>,
    pub(crate) examples: Vec<Example>,
}

/// Something to do, and the lines that show what comes of it.
pub(crate) struct Example {
    pub(crate) action: Action,
    lines: Range<usize>,
}

pub(crate) enum Action {
    Write {
        file: String,
        text: String,
    },
    Command(String),
    /// What is called would start machines.
    Listed(String),
    /// A row of a table, by its first cell.
    Params(String),
    Left(String),
}

/// Lines that should be others.
pub(crate) struct Wrong {
    lines: Range<usize>,
    action: String,
    expected: Vec<String>,
    found: Vec<String>,
}

/// The number of a line, and what is wrong there.
fn fault<T>(at: usize, what: impl fmt::Display) -> Result<T, String> {
    Err(format!("{}: {what}", at + 1))
}

impl Page {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        let mut page = Self { lines, examples: Vec::new() };
        let mut at = 0;
        while at < page.lines.len() {
            at = page.take(at)?;
        }
        page.all_used()?;
        Ok(page)
    }

    /// The parts of other files that the page takes in, each `file:anchor`.
    pub(crate) fn included(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| {
            let rest = line.strip_prefix("{{#include ")?;
            rest.strip_suffix("}}")
        })
    }

    /// What the page shows as the outcome of an example.
    fn shown(&self, example: &Example) -> &[String] {
        &self.lines[example.lines.clone()]
    }

    /// Compares what came out of an example with what the page shows. Blanks at the ends of lines
    /// do not count: the outcome's have been taken away, and so have the page's.
    pub(crate) fn compare(&self, example: &Example, outcome: &Outcome) -> Option<Wrong> {
        let expected = self.shown(example);
        let (action, found) = match (&example.action, outcome) {
            (Action::Write { .. }, _) | (Action::Listed(_), Outcome::Worked) => return None,
            (Action::Params(cell) | Action::Left(cell), Outcome::Cell(found)) => {
                let rest = cells(&expected[0]).into_iter().skip(2);
                let row: Vec<_> = [cell.clone(), found.clone()].into_iter().chain(rest).collect();
                (cell, vec![format!("| {} |", row.join(" | "))])
            }
            (
                Action::Command(text)
                | Action::Listed(text)
                | Action::Params(text)
                | Action::Left(text),
                outcome,
            ) => (text, outcome.lines()),
        };
        let differs = found != expected;
        differs.then(|| Wrong {
            lines: example.lines.clone(),
            action: action.clone(),
            expected: expected.to_vec(),
            found,
        })
    }

    /// The text of the page with what really came out.
    pub(crate) fn with(&self, wrong: &[Wrong]) -> String {
        let mut lines = self.lines.clone();
        for wrong in wrong.iter().rev() {
            lines.splice(wrong.lines.clone(), wrong.found.iter().cloned());
        }
        lines.join("\n") + "\n"
    }

    /// Takes in what begins at a line; gives back where it ends.
    fn take(&mut self, at: usize) -> Result<usize, String> {
        let line = &self.lines[at];
        if let Some(kind) = line.strip_prefix("```") {
            let kind = kind.to_owned();
            let length = self.lines[at + 1..].iter().position(|line| line == "```");
            let Some(length) = length else { return fault(at, "a code block that does not end") };
            self.block(&kind, at + 1..at + 1 + length)?;
            return Ok(at + length + 2);
        }
        let start = line.trim_start();
        let is_indented = line.starts_with("    ") && (at == 0 || self.lines[at - 1].is_empty());
        if start.starts_with("```") || start.starts_with("~~~") || is_indented {
            return fault(at, "a code block that does not begin in the first column with ```");
        }
        if line.starts_with('|') {
            let rows = self.lines[at..].iter().take_while(|line| line.starts_with('|')).count();
            self.table(at..at + rows)?;
            return Ok(at + rows);
        }
        Ok(at + 1)
    }

    fn block(&mut self, kind: &str, lines: Range<usize>) -> Result<(), String> {
        match kind {
            "cfg" => {
                let named = self.lines[lines.start].strip_prefix("# ").map(str::trim);
                let named = named.filter(|name| {
                    name.strip_suffix(".cfg").is_some_and(|stem| !stem.contains(' '))
                });
                let file = named.unwrap_or("tests.cfg").to_owned();
                let text = self.lines[lines.clone()].join("\n") + "\n";
                self.examples.push(Example { action: Action::Write { file, text }, lines });
                Ok(())
            }
            "console" => self.console(lines),
            "sh" => {
                for at in lines {
                    let command = self.lines[at].clone();
                    if !command.starts_with("kvmtest run") {
                        return fault(at, format_args!("`{command}` is not run here"));
                    }
                    self.examples.push(Example { action: Action::Listed(command), lines: at..at });
                }
                Ok(())
            }
            _ => fault(lines.start - 1, format_args!("a code block of an unknown kind: `{kind}`")),
        }
    }

    fn console(&mut self, lines: Range<usize>) -> Result<(), String> {
        let starts = |at: &usize| self.lines[*at].starts_with("$ ");
        let commands: Vec<usize> = lines.clone().filter(starts).collect();
        match commands.first() {
            None if lines.is_empty() => return fault(lines.start - 1, "a block without a command"),
            Some(first) if *first == lines.start => {}
            _ => return fault(lines.start, "output without a command"),
        }
        let ends = commands.iter().skip(1).copied().chain([lines.end]);
        for (&at, end) in commands.iter().zip(ends) {
            let command = self.lines[at][2..].to_owned();
            let harmless = ["kvmtest list ", "kvmtest show ", "kvmtest lint ", "echo $?"];
            if !harmless.iter().any(|known| command.starts_with(known)) {
                return fault(at, format_args!("`{command}` is not run here"));
            }
            self.examples.push(Example { action: Action::Command(command), lines: at + 1..end });
        }
        Ok(())
    }

    /// Tables that begin like one of examples have to be one.
    fn table(&mut self, rows: Range<usize>) -> Result<(), String> {
        let head = cells(&self.lines[rows.start]);
        let action = match [head[0].as_str(), head.get(1).map_or("", String::as_str)] {
            ["written", "params"] => Action::Params,
            ["added", "left"] => Action::Left,
            ["written" | "added", _] => return fault(rows.start, "a table of an unknown kind"),
            _ => return Ok(()),
        };
        for at in rows.skip(2) {
            let cell = cells(&self.lines[at]).remove(0);
            self.examples.push(Example { action: action(cell), lines: at..at + 1 });
        }
        Ok(())
    }

    /// A file that no command follows is not run by anybody.
    fn all_used(&self) -> Result<(), String> {
        let mut unused: HashMap<&str, usize> = HashMap::new();
        for example in &self.examples {
            let before = match &example.action {
                Action::Write { file, .. } => unused.insert(file, example.lines.start - 1),
                Action::Params(_) => None,
                Action::Command(_) | Action::Listed(_) | Action::Left(_) => {
                    unused.clear();
                    None
                }
            };
            if let (Some(at), Action::Write { file, .. }) = (before, &example.action) {
                return fault(at, format_args!("nothing is done with `{file}`"));
            }
        }
        match unused.into_iter().min_by_key(|(_, at)| *at) {
            Some((file, at)) => fault(at, format_args!("nothing is done with `{file}`")),
            None => Ok(()),
        }
    }
}

/// What came out of an example.
pub(crate) enum Outcome {
    Printed(String),
    /// The second cell of its row.
    Cell(String),
    /// It went well, and nothing is shown of it.
    Worked,
}

impl Outcome {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Printed(text) => text.lines().map(|line| line.trim_end().to_owned()).collect(),
            Self::Cell(_) | Self::Worked => Vec::new(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, action, expected, found } = self;
        let (expected, found) = (expected.join("\n"), found.join("\n"));
        write!(f, "{}: `{action}`\nshown:\n{expected}\nfound:\n{found}\n", lines.start + 1)
    }
}

/// The cells of a row; `\|` is no border.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim_matches('|').replace("\\|", "\0");
    row.split('|').map(|cell| cell.trim().replace('\0', "\\|")).collect()
}
