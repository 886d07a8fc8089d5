//! What is waited for, and what was found.

use std::borrow::Cow;

use regex::bytes::{Regex, RegexBuilder};

use super::last_line::KERNEL_MESSAGE;
use crate::error::{Error, ErrorKind, Result};

/// Something to wait for: a regular expression as text, or one that was compiled before.
pub trait Pattern {
    /// The compiled form.
    fn to_regex(&self) -> Result<Regex>;
}

/// What was found, and what came before it. All of it is consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which of the patterns matched, counted from 0.
    pub index: usize,
    /// What came before the match.
    pub before: Vec<u8>,
    /// What matched.
    pub matched: Vec<u8>,
    /// The groups of the pattern, the first one in parentheses at 0; `None` where it took no
    /// part in the match.
    pub groups: Vec<Option<Vec<u8>>>,
    /// How many bytes before `before` were dropped because they were too many to keep; they are
    /// in the log only.
    pub dropped: u64,
}

impl Match {
    /// Everything up to the end of the match, as text; what is no UTF-8 is replaced.
    pub fn output(&self) -> String {
        lossy(&[&self.before[..], &self.matched].concat())
    }

    /// What came before the match, as text; what is no UTF-8 is replaced.
    pub fn before_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.before)
    }

    /// What matched, as text; what is no UTF-8 is replaced.
    pub fn matched_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.matched)
    }

    /// Group `index` as text, the first one in parentheses at 0; empty where it took no part.
    pub fn group(&self, index: usize) -> Cow<'_, str> {
        self.groups
            .get(index)
            .and_then(Option::as_deref)
            .map(String::from_utf8_lossy)
            .unwrap_or_default()
    }
}

impl Pattern for str {
    fn to_regex(&self) -> Result<Regex> {
        // Guests send bytes: `.` is any byte, and a class of a script is looked for only where
        // the pattern itself leaves ASCII.
        RegexBuilder::new(self).unicode(!self.is_ascii()).build().map_err(|error| {
            Error::new(
                ErrorKind::TestError,
                format!("the pattern `{self}` is no regular expression"),
            )
            .caused_by(error)
        })
    }
}

impl Pattern for String {
    fn to_regex(&self) -> Result<Regex> {
        self.as_str().to_regex()
    }
}

impl Pattern for Regex {
    fn to_regex(&self) -> Result<Regex> {
        Ok(self.clone())
    }
}

impl<P: Pattern + ?Sized> Pattern for &P {
    fn to_regex(&self) -> Result<Regex> {
        (**self).to_regex()
    }
}

/// All of `patterns`, compiled.
pub(super) fn compile<P: Pattern>(patterns: &[P]) -> Result<Vec<Regex>> {
    patterns.iter().map(Pattern::to_regex).collect()
}

/// Of the matches in `text` that begin at `from` or later, the one that ends first; of those
/// that end together, that of the first pattern. Its index, start and end.
pub(super) fn first_match(
    patterns: &[Regex],
    text: &[u8],
    from: usize,
) -> Option<(usize, std::ops::Range<usize>)> {
    patterns
        .iter()
        .enumerate()
        .filter_map(|(index, regex)| Some((index, regex.find_at(text, from)?.range())))
        .min_by_key(|(_, range)| range.end)
}

/// The groups of a match of `regex` that begins at `start`.
pub(super) fn groups(regex: &Regex, text: &[u8], start: usize) -> Vec<Option<Vec<u8>>> {
    if regex.captures_len() == 1 {
        return Vec::new();
    }
    let captures = regex.captures_at(text, start);
    let captures = captures.iter().flat_map(|captures| captures.iter().skip(1));
    captures.map(|group| group.map(|group| group.as_bytes().to_vec())).collect()
}

/// The patterns, as a message names them.
pub(super) fn names(patterns: &[Regex]) -> String {
    let name = |regex: &Regex| {
        // A mark of ours, with room for messages of the kernel everywhere, says nothing to anybody.
        if regex.as_str().contains(KERNEL_MESSAGE) {
            "the shell".to_owned()
        } else {
            format!("`{}`", regex.as_str())
        }
    };
    patterns.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Bytes as text; what is no UTF-8 is replaced.
pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::command::Marks;

    #[test]
    fn a_mark_of_ours_is_not_shown_as_a_pattern() {
        let own = Regex::new("login: $").expect("a pattern");
        assert_eq!(names(&[own, Marks::new().end()]), "`login: $`, the shell");
    }
}
