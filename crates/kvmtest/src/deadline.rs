//! A point in time by which something must have happened.

use std::time::{Duration, Instant};

/// A point in time by which something must have happened; carried down through every wait, so
/// that the parts of a wait together take no longer than the whole was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at: Instant,
}

impl Deadline {
    /// The deadline `timeout` from now. A timeout beyond thirty years is taken as thirty years.
    pub fn after(timeout: Duration) -> Self {
        const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        Self { at: Instant::now() + timeout.min(FOREVER) }
    }

    /// The earlier one of this deadline and `timeout` from now.
    #[must_use]
    pub fn at_most(self, timeout: Duration) -> Self {
        self.min(Self::after(timeout))
    }

    /// What is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn expired(self) -> bool {
        self.remaining().is_zero()
    }
}
