//! One statement, and what it did.

use super::context::Context;
use crate::tree::operation::Kind;
use crate::tree::source::Place;
use std::sync::Arc;

/// One statement that touched a key, or would have.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Where the statement stands.
    pub place: Place,
    /// Its text. A variant's own line where that is what gave the value: in a block with a name,
    /// and for `name`, `shortname` and `dep`.
    pub statement: String,
    /// `=`, `+=`, `<=`, `~=`, `?=`, `?+=`, `?<=`, `del`, `suffix`; `-` for the line of a variant;
    /// `_min`, `_max`, `_fixed` for a key that bounds this one.
    pub operator: &'static str,
    /// What the key is called after it: as asked for, or without a suffix that comes later.
    pub key: String,
    /// What it stands in, the outermost first.
    pub context: Vec<Context>,
    /// Each `${key}` of the statement's value that was looked up.
    pub substitutions: Vec<Substitution>,
    /// The value before; `…` once all values of a story are longer than 64 MiB together.
    pub before: Option<Arc<str>>,
    /// The value after; what was added, where the effect is [`Effect::Label`] or [`Effect::Dep`].
    pub after: Option<Arc<str>>,
    /// What it did.
    pub effect: Effect,
}

/// What became of a `${key}`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Substitution {
    /// The key between the braces.
    pub key: String,
    /// The value that it had; without one it stays as written, and so does what follows it.
    pub value: Option<String>,
    /// Where that value had been given. `name`, `shortname` and `dep` have no place.
    pub place: Option<Place>,
}

/// What a statement did to a key, or why it did nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Gave it the value.
    Set,
    /// Put something behind the value.
    Append,
    /// Put something before the value.
    Prepend,
    /// Took the key away.
    Delete,
    /// Changed what the key is called.
    Suffix,
    /// Replaced the value by its bound, which is the value of the key `limit`.
    Bound {
        /// The key that bounds this one: `mem_max`.
        limit: String,
    },
    /// Added its labels to the name, or to the short name.
    Label,
    /// Added what it depends on.
    Dep,
    /// Nothing: the value is within the bound, or one of them is no number.
    WithinBound {
        /// The key that bounds this one: `mem_max`.
        limit: String,
        /// Its value.
        value: String,
    },
    /// Nothing: `~=`, and there was a value.
    HasValue,
    /// Nothing: there was no such key to delete, or to be matched by a regular expression.
    NoKey,
    /// Nothing: it would make the values of the variant longer than they may be together.
    NoRoom,
    /// Nothing: it stands under a condition that does not hold.
    Condition,
    /// Nothing: the variant's labels are left out of the short name, since it is a default.
    Hidden,
}

impl Effect {
    /// Whether the statement changed anything, or gave the value that was there already.
    pub fn took(&self) -> bool {
        match self {
            Self::Set
            | Self::Append
            | Self::Prepend
            | Self::Delete
            | Self::Suffix
            | Self::Bound { .. }
            | Self::Label
            | Self::Dep => true,
            Self::WithinBound { .. }
            | Self::HasValue
            | Self::NoKey
            | Self::NoRoom
            | Self::Condition
            | Self::Hidden => false,
        }
    }

    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Set | Kind::Lazy | Kind::PatternSet => Self::Set,
            Kind::Append | Kind::PatternAppend => Self::Append,
            Kind::Prepend | Kind::PatternPrepend => Self::Prepend,
            Kind::Delete => Self::Delete,
        }
    }
}
