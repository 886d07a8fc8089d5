//! From the text of a filter to its labels.

use crate::limits;
use crate::parser::scan::{self, is_word};
use crate::tree::filter::Written;
use crate::tree::label::{Interner, Label};
use std::ops::Range;

/// Why a text is no filter: which part of it, what is wrong, what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Complaint {
    pub(crate) bytes: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// Whether a blank means *or*.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blanks {
    Or,
    Refused,
}

const CHARACTERS: &str =
    "a label has letters, digits, `_` and `-`; `,` is or, `..` is and, `.` is directly followed by";

/// Reads a whole text as one filter, into `written`. Ranges count from its start.
pub(crate) fn filter(
    text: &str,
    blanks: Blanks,
    strings: &mut Interner,
    written: &mut Written,
) -> Result<(), Complaint> {
    let mut reader = Reader { text, at: 0 };
    written.clear();
    written.word(reader.label(strings)?);
    loop {
        let blank = reader.skip_blanks();
        let start = reader.at;
        let (separator, length) = reader.separator();
        reader.at += length;
        let label = match separator {
            Separator::End => return Ok(()),
            Separator::Or => {
                reader.skip_blanks();
                reader.after(start, "`,`", strings)?
            }
            Separator::None if !blank => return Err(reader.unexpected()),
            Separator::None if blanks == Blanks::Refused => {
                return Err(Complaint {
                    bytes: start..text.len(),
                    message: "two labels with a blank between them in a condition".to_owned(),
                    help: "write `a, b:` for either, `a..b:` for both, `a.b:` for b directly after a",
                });
            }
            Separator::None => reader.label(strings)?,
            Separator::Next | Separator::And if blank || reader.at_blank() => {
                return Err(Complaint {
                    bytes: start..reader.at,
                    message: "blanks around a dot in a filter".to_owned(),
                    help: "write `a.b` or `a..b` without blanks",
                });
            }
            Separator::Next => reader.after(start, "`.`", strings)?,
            Separator::And => reader.after(start, "`..`", strings)?,
        };
        match separator {
            Separator::Next => {
                if written.follow(label) > limits::SEQUENCE {
                    return Err(Complaint {
                        bytes: start..reader.at,
                        message: format!("more than {} labels in a row", limits::SEQUENCE),
                        help: "write fewer: the last ones will do",
                    });
                }
            }
            Separator::And => written.term(label),
            _ => written.word(label),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Or,
    And,
    Next,
    None,
    End,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn at_blank(&self) -> bool {
        self.rest().starts_with(char::is_whitespace)
    }

    fn skip_blanks(&mut self) -> bool {
        let before = self.at;
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at > before
    }

    fn separator(&self) -> (Separator, usize) {
        let rest = self.rest();
        let dots = rest.len() - rest.trim_start_matches('.').len();
        match (dots, rest.chars().next()) {
            (_, None) => (Separator::End, 0),
            (0, Some(',')) => (Separator::Or, 1),
            (0, Some(_)) => (Separator::None, 0),
            (1, _) => (Separator::Next, 1),
            // A third dot is then where a label ought to be.
            _ => (Separator::And, 2),
        }
    }

    /// The label that has to follow a separator.
    fn after(
        &mut self,
        start: usize,
        separator: &str,
        strings: &mut Interner,
    ) -> Result<Label, Complaint> {
        if self.rest().is_empty() {
            return Err(Complaint {
                bytes: start..self.at,
                message: format!("nothing after {separator} in a filter"),
                help: "take it away, or write the label that is missing",
            });
        }
        self.label(strings)
    }

    /// `name`, `(name)` or `(variable=name)`.
    fn label(&mut self, strings: &mut Interner) -> Result<Label, Complaint> {
        if !self.rest().starts_with('(') {
            let name = self.word().ok_or_else(|| self.unexpected())?;
            return Ok(Label { variable: None, name: strings.intern(&self.text[name]) });
        }
        let start = self.at;
        let Some(length) = self.rest().find(')') else {
            return Err(Complaint {
                bytes: start..self.text.len(),
                message: "a parenthesis that is not closed".to_owned(),
                help: "write `(name=value)`",
            });
        };
        let inside = &self.text[start + 1..start + length];
        self.at = start + length + 1;
        let is_name = |text: &str| !text.is_empty() && text.chars().all(is_word);
        let (variable, name) = match inside.split_once('=') {
            Some((variable, name)) => (Some(variable.trim()), name.trim()),
            None => (None, inside.trim()),
        };
        if !is_name(name) || !variable.is_none_or(is_name) {
            return Err(Complaint {
                bytes: start..self.at,
                message: format!("`({inside})` is no label"),
                help: "write `(name=value)`: the name of a `variants` block and one label of a variant in it",
            });
        }
        let variable = variable.map(|variable| strings.intern(variable));
        Ok(Label { variable, name: strings.intern(name) })
    }

    fn word(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.at = scan::word_end(self.text, start);
        (self.at > start).then_some(start..self.at)
    }

    fn unexpected(&self) -> Complaint {
        let (bytes, message) = match self.rest().chars().next() {
            Some(found) => {
                let end = self.at + found.len_utf8();
                (self.at..end, format!("{found:?} where a filter needs a label"))
            }
            None => (self.at..self.at, "a filter without a label".to_owned()),
        };
        Complaint { bytes, message, help: CHARACTERS }
    }
}
