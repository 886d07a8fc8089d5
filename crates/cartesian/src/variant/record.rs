//! Looks on while the keys of a variant are made.

use crate::tree::NodeId;
use crate::tree::label::Symbol;
use crate::variant::dictionary::{Builder, Entry};

/// Hears of every statement of a path in the order in which they take effect. `()` hears nothing
/// and costs nothing.
#[expect(unused_variables, reason = "a recorder names what it looks at")]
pub(crate) trait Record {
    /// It looks at every statement: none may be left out.
    const LOOKS: bool = true;
    /// The statements of a path come now.
    fn begin(&mut self, path: &[NodeId]) {}
    /// The statements of a node come now.
    fn node(&mut self, node: NodeId) {}
    /// A condition was judged; where it holds, its statements come now.
    fn condition(&mut self, state: &State, condition: u32, holds: bool) {}
    /// The statements of a condition that holds are over.
    fn end_condition(&mut self) {}
    /// A `${key}` was looked up for the assignment that is told next; `value` is what the key had
    /// before that.
    fn substitute(&mut self, state: &State, key: Symbol, value: Option<&str>) {}
    /// An assignment had its effect, if it had one.
    fn assign(&mut self, state: &State, operation: u32) {}
    /// The keys got a suffix.
    fn suffix(&mut self, state: &State, suffix: u32) {}
    /// The key of `limit` was compared with the key that it bounds.
    fn bound(&mut self, state: &State, limit: &Entry, bounded: Symbol, replaces: bool) {}
    /// All statements of the path had their effect.
    fn end(&mut self, state: &State) {}
}

impl Record for () {
    const LOOKS: bool = false;
}

/// The keys as they are at a moment.
pub(crate) struct State<'a> {
    pub(crate) builder: &'a Builder<'a>,
    pub(crate) entries: &'a [Entry],
}
