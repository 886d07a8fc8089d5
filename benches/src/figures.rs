//! The figures of several runs of one thing.

use std::time::Duration;

/// Times of several runs of one thing.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    times: Vec<Duration>,
}

impl Figures {
    /// Of no run.
    pub const fn new() -> Self {
        Self { times: Vec::new() }
    }

    /// Adds a run.
    pub fn add(&mut self, time: Duration) {
        self.times.push(time);
        self.times.sort_unstable();
    }

    /// The one in the middle; zero where there is none.
    pub fn median(&self) -> Duration {
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }

    /// The shortest.
    pub fn min(&self) -> Duration {
        self.times.first().copied().unwrap_or_default()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }

    /// How many times as long the middle one took as the middle one of `other`.
    pub fn ratio(&self, other: &Self) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64()
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:9.1} ms  (min {:.1}, max {:.1}, {} runs)",
            self.median().as_secs_f64() * 1000.0,
            self.min().as_secs_f64() * 1000.0,
            self.max().as_secs_f64() * 1000.0,
            self.times.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut figures = Figures::default();
        for milliseconds in [9, 1, 5] {
            figures.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(figures.median(), Duration::from_millis(5));
        assert_eq!(
            (figures.min(), figures.max()),
            (Duration::from_millis(1), Duration::from_millis(9))
        );
        let mut other = Figures::default();
        other.add(Duration::from_millis(10));
        assert!((figures.ratio(&other) - 0.5).abs() < 1e-9);
    }
}
