//! What is refused, so that a hostile or broken text is a diagnostic and not a crash.

/// All sources together, in bytes. Positions are 31-bit numbers.
pub(crate) const TOTAL_BYTES: usize = 1 << 30;
/// One line, in bytes.
pub(crate) const LINE_BYTES: usize = 1 << 20;
/// Blocks inside blocks (variants, conditions, included files).
pub(crate) const NESTING: u32 = 128;
/// Files including files.
pub(crate) const INCLUDES: usize = 32;
/// Combinations that `join` makes one of: those of joins inside one another multiply.
pub(crate) const JOINED: u64 = 4096;
/// Labels directly after one another in a filter: what is there of them is a 32-bit set.
pub(crate) const SEQUENCE: usize = 32;
/// Diagnostics of one parser; what comes after is not told.
pub(crate) const DIAGNOSTICS: usize = 1000;
/// All values of a variant that stand in no source, in bytes: a statement that makes more is left
/// out there. `k = ${k}${k}`, written thirty times, would be a gigabyte.
pub(crate) const VALUE_BYTES: usize = 1 << 26;
/// Findings of one configuration; what comes after is not told.
pub(crate) const FINDINGS: usize = 5000;
