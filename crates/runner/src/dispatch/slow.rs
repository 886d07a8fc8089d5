//! When to say that something takes long: seldom enough to be read.

use std::time::{Duration, Instant};

/// The times at which a phase is called slow: after a while, and whenever it has taken twice as
/// long as the last time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slow {
    start: Instant,
    next: Duration,
}

impl Slow {
    pub(super) fn after(time: Duration) -> Self {
        // At no time would be at all times.
        Self { start: Instant::now(), next: time.max(Duration::from_millis(1)) }
    }

    /// How long until it is next called slow.
    pub(super) fn remaining(&self) -> Duration {
        self.next.saturating_sub(self.start.elapsed())
    }

    /// How long it has taken, if that is to be told now.
    pub(super) fn due(&mut self) -> Option<Duration> {
        let elapsed = self.start.elapsed();
        if elapsed < self.next {
            return None;
        }
        while self.next <= elapsed {
            self.next = self.next.saturating_mul(2);
        }
        Some(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_grows() {
        let hour = Duration::from_secs(3600);
        let mut slow =
            Slow { start: Instant::now().checked_sub(hour).expect("up for long"), next: hour / 7 };
        assert!(slow.due().is_some_and(|elapsed| elapsed >= hour));
        assert_eq!(slow.next, hour / 7 * 8, "what was missed is not made up for");
        assert_eq!(slow.due(), None);
        assert!(slow.remaining() <= hour / 7);
        assert!(Slow::after(Duration::ZERO).remaining() <= Duration::from_millis(1));
    }
}
