//! What is done around a subtest in the runner's own process: preparing its machines before it
//! starts, and cleaning up after it.

use camino::Utf8PathBuf;
use kvmtest::Result;
use kvmtest::test::Note;

use crate::plan::PlannedTest;

/// Prepares for a test and cleans up after it. There is one for each worker; it is called from a
/// thread of its own, so that it may wait, as long as it waits through `kvmtest::wait`.
pub trait Stage: Send {
    /// Brings the host and the test's machines into the state that its params ask for.
    fn prepare(&mut self, test: &PlannedTest, places: &Places) -> Result<()>;

    /// Cleans up; called once for each [`prepare`](Self::prepare) that was begun, however that
    /// ended. `failed` tells which of the `X_on_error` keys apply.
    ///
    /// Each string that is returned is a warning. An error fails the test only if it had passed.
    fn clean(&mut self, test: &PlannedTest, places: &Places, failed: bool) -> Result<Vec<String>>;

    /// Called where [`clean`](Self::clean) was interrupted because it took too long: whatever the
    /// test may have left is to go, at once and without regard to its params.
    fn abandon(&mut self, test: &PlannedTest, places: &Places) -> Result<()> {
        let _ = (test, places);
        Ok(())
    }

    /// What there is to say of the preparing or cleaning up that was done last, besides what that
    /// returned: facts, warnings, lines for the log. It is taken, and so said once.
    fn notes(&mut self) -> Vec<Note> {
        Vec::new()
    }

    /// Called between two tests, where machines that still live stand in the way of what another
    /// worker is to run: ends them all, and gives back their names.
    fn clear(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Called once after the last test. Warnings and errors as in [`clean`](Self::clean), except
    /// that they belong to no test.
    fn finish(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Where the things of one test lie.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// What people are to read afterwards.
    pub results: Utf8PathBuf,
    /// Private to the test; removed when it has ended.
    pub scratch: Utf8PathBuf,
    /// The env file of the worker that runs the test.
    pub env: Utf8PathBuf,
}
