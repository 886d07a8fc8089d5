//! The kinds of findings, by name.

use std::fmt;
use std::str::FromStr;

/// What kind of thing [`Config::lint`](crate::Config::lint) found. The names never change: they
/// are what people search for and silence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Finding {
    /// `unknown-label`: a filter names a label that no variant has.
    UnknownLabel,
    /// `never-holds`: a condition that no name can fulfil, or a `no` that can drop nothing.
    NeverHolds,
    /// `empty-condition`: a condition with nothing in it.
    EmptyCondition,
    /// `leaves-nothing`: the filter that drops the last of what its variant, its condition or
    /// the whole configuration had.
    LeavesNothing,
    /// `dropped-variant`: filters elsewhere drop every name that goes through a variant.
    DroppedVariant,
    /// `duplicate-variant`: two variants of one block that give the same name.
    DuplicateVariant,
    /// `overwritten`: a value that is replaced or deleted before any statement could use it.
    Overwritten,
    /// `matches-no-key`: a `?=` before which nothing sets a key that it matches.
    MatchesNoKey,
    /// `unset-key`: a `${key}` before which nothing sets the key.
    UnsetKey,
    /// `unknown-dependency`: a variant depends on a label that no variant has.
    UnknownDependency,
    /// `trailing-comment`: a comment after a value, which is part of it.
    TrailingComment,
    /// `unknown-value`: a value that is none of those which its reader knows.
    UnknownValue,
}

impl Finding {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::UnknownLabel,
        Self::NeverHolds,
        Self::EmptyCondition,
        Self::LeavesNothing,
        Self::DroppedVariant,
        Self::DuplicateVariant,
        Self::Overwritten,
        Self::MatchesNoKey,
        Self::UnsetKey,
        Self::UnknownDependency,
        Self::TrailingComment,
        Self::UnknownValue,
    ];

    /// Its name: `unknown-label`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownLabel => "unknown-label",
            Self::NeverHolds => "never-holds",
            Self::EmptyCondition => "empty-condition",
            Self::LeavesNothing => "leaves-nothing",
            Self::DroppedVariant => "dropped-variant",
            Self::DuplicateVariant => "duplicate-variant",
            Self::Overwritten => "overwritten",
            Self::MatchesNoKey => "matches-no-key",
            Self::UnsetKey => "unset-key",
            Self::UnknownDependency => "unknown-dependency",
            Self::TrailingComment => "trailing-comment",
            Self::UnknownValue => "unknown-value",
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::UnknownLabel => "a filter names a label that no variant has",
            Self::NeverHolds => "a condition that can never hold, a `no` that drops nothing",
            Self::EmptyCondition => "a condition with nothing in it",
            Self::LeavesNothing => "a filter that leaves nothing",
            Self::DroppedVariant => "a variant that filters elsewhere drop altogether",
            Self::DuplicateVariant => "two variants of one block with the same name",
            Self::Overwritten => "a value that is replaced or deleted before anything reads it",
            Self::MatchesNoKey => "a `?=` that matches no key at its place",
            Self::UnsetKey => "a `${key}` that has no value at its place",
            Self::UnknownDependency => "a variant depends on a label that no variant has",
            Self::TrailingComment => "a comment after a value, which is part of it",
            Self::UnknownValue => "a value that nobody knows",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Finding {
    type Err = String;

    /// # Errors
    /// There is no such kind; the message names all that there are.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|finding| finding.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no finding `{}`: there are {names}", name.escape_debug())
        })
    }
}
