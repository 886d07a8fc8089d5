//! Exit codes: those of the program, which scripts rely on, and those of a child, which are part
//! of the child protocol. They change only with a new major version.

use crate::outcome::Outcome;

/// Every test that ran passed; WARN, SKIP and CANCEL count as not failed.
pub const ALL_PASSED: u8 = 0;
/// At least one test ended as FAIL or ERROR.
pub const SOME_FAILED: u8 = 1;
/// The command line was wrong.
pub const USAGE: u8 = 2;
/// Nothing was run: the host, the configuration or the results directory does not allow it.
pub const SETUP_IMPOSSIBLE: u8 = 3;
/// Nothing was run: no variant matched.
pub const NOTHING_MATCHED: u8 = 4;
/// Every test passed, but not every result could be written (a full disk).
pub const RESULTS_INCOMPLETE: u8 = 5;
/// Somebody asked everything to stop (Ctrl-C, SIGTERM).
pub const INTERRUPTED: u8 = 130;

/// A child could not read its request; it said why on standard error.
pub const CHILD_BAD_REQUEST: u8 = 20;
/// A child that got no more memory under its limit (`test_memory`); it said so on standard error.
pub const CHILD_WITHOUT_MEMORY: u8 = 21;

/// The code with which a child ends, once it has said the same outcome by a `finished` event.
///
/// Apart from success they keep clear of what shells, runtimes and tools end with by themselves.
pub fn of_child(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Fail => 10,
        Outcome::Error => 11,
        Outcome::Warn => 12,
        Outcome::Skip => 13,
        Outcome::Cancel => 14,
        Outcome::Interrupted => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_childs_codes_tell_outcomes_apart() {
        let mut codes: Vec<u8> = Outcome::ALL.into_iter().map(of_child).collect();
        codes.extend([CHILD_BAD_REQUEST, CHILD_WITHOUT_MEMORY]);
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Outcome::ALL.len() + 2);
    }
}
