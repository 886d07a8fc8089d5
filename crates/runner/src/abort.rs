//! `abort_on_error`: a failure after which nothing else is to run, so that what it left can be
//! looked at.

use kvmtest::{Params, Result};

use crate::outcome::Outcome;
use crate::plan::PlannedTest;

/// Whether nothing is to be started any more after this end of `test`.
pub(crate) fn wanted(test: &PlannedTest, outcome: Outcome) -> bool {
    // A value that is none was refused before the test began.
    outcome.is_failure() && test.params.get_bool_or("abort_on_error", false).unwrap_or(false)
}

/// What is said then.
pub(crate) fn remark(test: &PlannedTest) -> String {
    format!(
        "`{}` failed and says `abort_on_error = yes`: nothing is started after it",
        test.shortname
    )
}

/// Refuses what the key cannot mean.
pub(crate) fn check(params: &Params) -> Result<()> {
    params.get_bool_or("abort_on_error", false).map(drop)
}
