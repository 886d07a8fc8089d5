//! Answers `ssh` when it asks for the guest's password, so that no person has to type it.

use std::process::ExitCode;

/// The variable by which `kvmtest ssh` hands the password to the copy of itself that ssh calls.
pub(crate) const VARIABLE: &str = "KVMTEST_ASKPASS";

/// Prints the password, if this process was called by ssh to do so.
pub(crate) fn answer_if_asked() -> Option<ExitCode> {
    let password = std::env::var(VARIABLE).ok()?;
    crate::terminal::say(password);
    Some(ExitCode::SUCCESS)
}
