//! `kvmtest child`: runs one subtest; see `kvmtest_runner::child`.

use std::process::ExitCode;

/// Runs the subtest that standard input asks for.
pub(super) fn execute() -> ExitCode {
    kvmtest_runner::child::serve::serve(kvmtest_subtests::SUBTESTS)
}
