//! How a test ended, in one word.

use std::fmt;

use kvmtest::ErrorKind;
use serde::{Deserialize, Serialize};

/// How a test ended. The order is from the best to the worst: of two outcomes that meet in one
/// test, the greater one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Everything was as it should be.
    Pass,
    /// Not applicable here.
    Skip,
    /// Given up on purpose.
    Cancel,
    /// Bad, but no failure.
    Warn,
    /// What was tested is wrong.
    Fail,
    /// The test could not be carried out, so that nothing is known about what was tested.
    Error,
    /// Somebody asked everything to stop before the test had ended.
    Interrupted,
}

impl Outcome {
    /// All outcomes, from the best to the worst.
    pub const ALL: [Self; 7] = [
        Self::Pass,
        Self::Skip,
        Self::Cancel,
        Self::Warn,
        Self::Fail,
        Self::Error,
        Self::Interrupted,
    ];

    /// What an error means that comes out of a subtest.
    ///
    /// A broken set-up (a key that is missing, a guest that is not built) says nothing about what
    /// was tested, so it is an ERROR. A machine that is of a kind that cannot be moved or saved,
    /// which is said before anything is tried, is not one for this test: a SKIP. Any other error
    /// of the library is a FAIL.
    pub fn of_subtest(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::TestSkip | ErrorKind::MigrateBlocked => Self::Skip,
            ErrorKind::TestCancel => Self::Cancel,
            ErrorKind::TestWarn => Self::Warn,
            ErrorKind::Interrupted => Self::Interrupted,
            ErrorKind::TestError
            | ErrorKind::Params
            | ErrorKind::Config
            | ErrorKind::Host
            | ErrorKind::Guest => Self::Error,
            _ => Self::Fail,
        }
    }

    /// What an error means that comes before the subtest has begun: an ERROR, unless it says that
    /// the test does not apply, was given up, or was interrupted.
    pub fn of_preparation(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::TestSkip => Self::Skip,
            ErrorKind::TestCancel => Self::Cancel,
            ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Error,
        }
    }

    /// What an error means that comes while a test that passed is cleaned up. A check made then
    /// (of an image, say) may well be a FAIL or a WARN; anything else is an ERROR.
    pub fn of_clean_up(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::TestFail => Self::Fail,
            ErrorKind::TestWarn => Self::Warn,
            other => Self::of_preparation(other),
        }
    }

    /// Whether this makes the run a failed one: FAIL, ERROR and INTERRUPTED do.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Fail | Self::Error | Self::Interrupted)
    }

    /// Whether the test passed: PASS and WARN do.
    pub fn is_pass(self) -> bool {
        matches!(self, Self::Pass | Self::Warn)
    }

    /// The word, in capitals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Skip => "SKIP",
            Self::Cancel => "CANCEL",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
            Self::Error => "ERROR",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_crosses_a_process_boundary() {
        for outcome in Outcome::ALL {
            let json = serde_json::to_string(&outcome).expect("serialises");
            assert_eq!(json, format!("\"{}\"", outcome.word()));
        }
    }

    #[test]
    fn all_is_in_order() {
        assert!(Outcome::ALL.is_sorted());
    }

    #[test]
    fn an_error_means_what_its_place_says() {
        let table = [
            (ErrorKind::TestFail, Outcome::Fail, Outcome::Error),
            (ErrorKind::TestError, Outcome::Error, Outcome::Error),
            (ErrorKind::TestSkip, Outcome::Skip, Outcome::Skip),
            (ErrorKind::TestWarn, Outcome::Warn, Outcome::Error),
            (ErrorKind::TestCancel, Outcome::Cancel, Outcome::Cancel),
            (ErrorKind::Interrupted, Outcome::Interrupted, Outcome::Interrupted),
            (ErrorKind::Params, Outcome::Error, Outcome::Error),
            (ErrorKind::Guest, Outcome::Error, Outcome::Error),
            (ErrorKind::MigrateBlocked, Outcome::Skip, Outcome::Error),
            (ErrorKind::MigrateFailed, Outcome::Fail, Outcome::Error),
            (ErrorKind::LoginTimeout, Outcome::Fail, Outcome::Error),
            (ErrorKind::VmDead, Outcome::Fail, Outcome::Error),
        ];
        for (kind, in_subtest, in_preparation) in table {
            assert_eq!(Outcome::of_subtest(kind), in_subtest, "{kind:?}");
            assert_eq!(Outcome::of_preparation(kind), in_preparation, "{kind:?}");
        }
    }

    #[test]
    fn a_check_while_cleaning_up_may_fail_or_warn() {
        assert_eq!(Outcome::of_clean_up(ErrorKind::TestFail), Outcome::Fail);
        assert_eq!(Outcome::of_clean_up(ErrorKind::TestWarn), Outcome::Warn);
        assert_eq!(Outcome::of_clean_up(ErrorKind::VmDead), Outcome::Error);
    }
}
