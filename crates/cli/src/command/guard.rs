//! `kvmtest guard`: guards a machine; see `kvmtest::lease`.

use kvmtest::Result;

pub(super) fn execute() -> Result<u8> {
    kvmtest::lease::serve_guard(std::io::stdin(), std::io::stdout())?;
    Ok(0)
}
