//! The time of an event: for people, and for arithmetic.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};

/// The clocks of one run. Both are read together, because the one that people read may jump.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Starts counting.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The time of day (UTC).
    pub fn now() -> Timestamp {
        let now = Timestamp::now();
        // More digits than milliseconds would only make the lines longer.
        now.round(jiff::Unit::Millisecond).unwrap_or(now)
    }

    /// The day, in the host's time zone.
    pub fn today() -> Date {
        Zoned::now().date()
    }

    /// Milliseconds since the run began, by a clock that never jumps.
    pub fn milliseconds(&self) -> u64 {
        milliseconds(self.started.elapsed())
    }
}

/// A duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
