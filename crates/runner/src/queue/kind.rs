//! Tests that are alike for who has to choose between them.

use super::needs::Needs;

/// What a choice between tests looks at, besides their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Whether it is to come before those that are not urgent.
    pub(super) urgent: bool,
    /// What it takes; `alone` for what is larger than the host, too.
    pub(super) needs: Needs,
    /// The machine that it may find living, and leaves: equal for equal ones.
    pub(super) machine: Option<usize>,
    /// The memory of the machines that live on after it, in MiB.
    pub(super) kept: u64,
    /// The tests that it is connected with by dependencies.
    pub(super) family: Option<usize>,
}

/// How well a test fits a worker; the least fits best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The worker has its machine.
    SameMachine,
    /// The worker has run what it is connected with.
    SameFamily,
    /// Nobody else has anything of it.
    Free,
    /// Another worker has: it is taken where there is nothing better to do.
    Others,
}
