//! What is to become of a migration that is under way.

/// What is to become of a migration that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// It goes on.
    #[default]
    GoOn,
    /// It goes on as postcopy: the guest runs at the destination from now on, and gets what it
    /// lacks when it needs it. Without effect where it does so already; an error where the
    /// capability `postcopy-ram` was not asked for.
    Postcopy,
    /// It is cancelled, and the source goes on.
    Cancel,
}
