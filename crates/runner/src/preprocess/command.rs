//! `pre_command`.

use kvmtest::Result;

use crate::around::Around;
use crate::hook;

/// What it leaves running may be what the test needs: it is left until the test is over.
pub(super) fn run(around: &mut Around) -> Result<()> {
    around.left = hook::run(around, "pre_command")?;
    Ok(())
}
