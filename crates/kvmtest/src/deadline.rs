//! A point in time by which something must have happened.

use std::time::{Duration, Instant};

use crate::stall;

/// A point in time by which something must have happened; carried down through every wait, so
/// that the parts of a wait together take no longer than the whole was given.
///
/// On a host that has too much to do it is put off by the time for which the kernel says that work
/// had to wait for a processor ([`stall`]), but never to more than [`stall::factor`] times the
/// timeout. It heeds a clock that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    start: Instant,
    /// The stall of the host at the start.
    stall: Duration,
    timeout: Duration,
    factor: u32,
}

impl Deadline {
    /// The deadline `timeout` from now. A timeout beyond thirty years is taken as thirty years.
    pub fn after(timeout: Duration) -> Self {
        const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
        Self {
            start: Instant::now(),
            stall: stall::total(),
            timeout: timeout.min(FOREVER),
            factor: stall::factor(),
        }
    }

    /// The same deadline, put off to no more than `factor` times its timeout.
    #[must_use]
    pub fn with_factor(self, factor: u32) -> Self {
        Self { factor: factor.max(1), ..self }
    }

    /// The earlier one of this deadline and `timeout` from now.
    #[must_use]
    pub fn at_most(self, timeout: Duration) -> Self {
        if self.remaining() <= timeout { self } else { Self::after(timeout) }
    }

    /// The earlier one of two deadlines.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        if self.remaining() <= other.remaining() { self } else { other }
    }

    /// What is left, at least: it may be put off meanwhile. Zero once it has passed.
    pub fn remaining(self) -> Duration {
        let elapsed = self.start.elapsed();
        let left = self.timeout.saturating_sub(elapsed);
        if !left.is_zero() {
            // Whatever the stall, it is no earlier; so nobody has to ask for it now.
            return left;
        }
        let left = (self.timeout + self.put_off()).saturating_sub(elapsed);
        if left < SMALLEST { Duration::ZERO } else { left }
    }

    /// Whether it has passed.
    pub fn expired(self) -> bool {
        self.remaining().is_zero()
    }

    /// By how much it is put off so far.
    pub fn put_off(self) -> Duration {
        let stalled = stall::total().saturating_sub(self.stall);
        put_off(self.start.elapsed(), stalled, self.factor)
    }
}

/// What is shorter is not worth another wait.
const SMALLEST: Duration = Duration::from_millis(1);

/// In `elapsed`, with so much of it `stalled`, a deadline's clock has gone for at least the
/// `factor`th part.
fn put_off(elapsed: Duration, stalled: Duration, factor: u32) -> Duration {
    stalled.min(elapsed.saturating_sub(elapsed / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_put_off_by_the_stall_up_to_a_factor() {
        let check = |elapsed, stalled, factor, expected| {
            let of = Duration::from_secs;
            assert_eq!(put_off(of(elapsed), of(stalled), factor), of(expected));
        };
        check(100, 0, 4, 0);
        check(100, 40, 4, 40);
        check(100, 75, 4, 75);
        check(100, 99, 4, 75);
        check(100, 5000, 4, 75);
        check(100, 99, 1, 0);
        check(0, 10, 4, 0);
    }

    #[test]
    fn the_earlier_of_two_counts() {
        let hour = Deadline::after(Duration::from_secs(3600));
        assert!(hour.at_most(Duration::from_secs(60)).remaining() <= Duration::from_secs(60));
        assert!(hour.at_most(Duration::MAX).remaining() <= Duration::from_secs(3600));
        assert!(hour.at_most(Duration::ZERO).expired());
        assert!(!Deadline::after(Duration::MAX).expired());
    }
}
