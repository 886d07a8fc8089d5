//! Assignments, prepared at parse time.

use crate::tree::label::{Interner, Symbol};
use crate::tree::source::Span;
use regex::Regex;
use std::sync::OnceLock;

/// What an assignment does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `=`
    Set,
    /// `+=`
    Append,
    /// `<=`
    Prepend,
    /// `~=`: only when the key has no value yet.
    Lazy,
    /// `?=`
    PatternSet,
    /// `?+=`
    PatternAppend,
    /// `?<=`
    PatternPrepend,
    /// `del`
    Delete,
}

impl Kind {
    /// The key is a regular expression over the keys that are there.
    pub(crate) fn is_pattern(self) -> bool {
        matches!(self, Self::PatternSet | Self::PatternAppend | Self::PatternPrepend)
    }
}

/// One assignment statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    /// A key ([`Symbol`]), or the number of a [`Pattern`].
    pub(crate) key: u32,
    /// The value without its quotes.
    pub(crate) value: Span,
    /// The number of a [`Template`] when the value has a `${key}`.
    pub(crate) template: Option<u32>,
    /// An offset in the statement's line.
    pub(crate) at: u32,
}

/// A value with `${key}` in it.
#[derive(Clone)]
pub(crate) struct Template {
    /// The literal text before a key, and the key.
    pub(crate) holes: Vec<(Span, Symbol)>,
    /// The literal text after the last key.
    pub(crate) rest: Span,
}

impl Template {
    /// Finds the `${key}`s of a value. A key has at least one character and ends at the first
    /// brace after that.
    pub(crate) fn parse(text: &str, span: Span, strings: &mut Interner) -> Option<Self> {
        let piece = |start: usize, end: usize| Span {
            start: span.start + crate::tree::label::number(start),
            len: crate::tree::label::number(end - start),
        };
        // Nearly no value has one.
        memchr::memchr(b'$', text.as_bytes())?;
        let mut holes = Vec::new();
        let mut done = 0;
        let dollar = |from: usize| {
            let rest = &text.as_bytes()[from..];
            memchr::memchr_iter(b'$', rest).find(|at| rest.get(at + 1) == Some(&b'{'))
        };
        while let Some(open) = dollar(done).map(|at| at + done) {
            let key_start = open + 2;
            let Some(first) = text[key_start..].chars().next() else { break };
            let from = key_start + first.len_utf8();
            let Some(close) = text[from..].find('}').map(|at| at + from) else { break };
            holes.push((piece(done, open), strings.intern(&text[key_start..close])));
            done = close + 1;
        }
        (!holes.is_empty()).then(|| Self { holes, rest: piece(done, text.len()) })
    }
}

/// The left side of `?=`, `?+=`, `?<=`.
#[derive(Clone)]
pub(crate) enum Pattern {
    /// No character of it means anything special.
    Literal(Symbol),
    Regex {
        regex: Regex,
        /// Which keys it matches, found out when it is first needed.
        matches: OnceLock<Vec<bool>>,
    },
}

impl Pattern {
    /// Compiles an expression. It must match from the start of a key; its last alternative must
    /// match up to the end.
    pub(crate) fn new(expression: &str, strings: &mut Interner) -> Result<Self, String> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '@' | '/');
        if expression.chars().all(plain) {
            return Ok(Self::Literal(strings.intern(expression)));
        }
        let regex = regex::RegexBuilder::new(&format!("^(?:{expression}$)"))
            .size_limit(1 << 20)
            .build()
            .map_err(|error| last_line(&error.to_string()))?;
        Ok(Self::Regex { regex, matches: OnceLock::new() })
    }

    pub(crate) fn matches(&self, key: Symbol, strings: &Interner) -> bool {
        match self {
            Self::Literal(own) => *own == key,
            Self::Regex { regex, matches } => matches
                .get_or_init(|| strings.iter().map(|(_, text)| regex.is_match(text)).collect())
                [key.index()],
        }
    }

    /// For keys that are in no table.
    pub(crate) fn matches_text(&self, key: &str, strings: &Interner) -> bool {
        match self {
            Self::Literal(own) => strings.text(*own) == key,
            Self::Regex { regex, .. } => regex.is_match(key),
        }
    }
}

/// The `regex` crate draws the expression over several lines; the reason is in the last one.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
