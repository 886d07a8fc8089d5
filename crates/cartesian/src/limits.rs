//! What is refused, so that a hostile or broken text is a diagnostic and not a crash.

/// All sources together, in bytes. Positions are 31-bit numbers.
pub(crate) const TOTAL_BYTES: usize = 1 << 30;
/// One line, in bytes.
pub(crate) const LINE_BYTES: usize = 1 << 20;
/// Blocks inside blocks (variants, conditions, included files).
pub(crate) const NESTING: u32 = 128;
/// Files including files.
pub(crate) const INCLUDES: usize = 32;
/// Diagnostics of one parser; what comes after is not told.
pub(crate) const DIAGNOSTICS: usize = 1000;
/// Findings of one configuration; what comes after is not told.
pub(crate) const FINDINGS: usize = 5000;
