//! What a host has, and what tests take of it.

use std::ops::{Add, Sub};

/// Processors and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Capacity {
    /// How many processors.
    pub cpus: u64,
    /// How much memory, in MiB.
    pub memory: u64,
}

impl Capacity {
    /// More than any test takes: nothing is held against it.
    pub const UNLIMITED: Self = Self { cpus: u64::MAX, memory: u64::MAX };

    /// Whether `other` is no larger than this, in any respect.
    pub fn holds(self, other: Self) -> bool {
        other.cpus <= self.cpus && other.memory <= self.memory
    }
}

impl Add for Capacity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            cpus: self.cpus.saturating_add(other.cpus),
            memory: self.memory.saturating_add(other.memory),
        }
    }
}

impl Sub for Capacity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            cpus: self.cpus.saturating_sub(other.cpus),
            memory: self.memory.saturating_sub(other.memory),
        }
    }
}
