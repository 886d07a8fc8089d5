//! `profilers`: they have seen the subtest.

use kvmtest::Result;

use crate::around::Around;

#[expect(clippy::unnecessary_wraps, reason = "other steps may fail")]
pub(super) fn end(around: &mut Around) -> Result<()> {
    for profiler in std::mem::take(&mut around.profilers) {
        if let Some(problem) = profiler.end() {
            around.warn(problem);
        }
    }
    Ok(())
}
