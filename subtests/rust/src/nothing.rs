//! Do nothing: what is left is what the harness costs.

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_nothing(_test: &mut Test, _params: &Params, _env: &mut Env) -> Result<()> {
    Ok(())
}
