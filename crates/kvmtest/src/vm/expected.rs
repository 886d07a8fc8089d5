//! What a subtest means to happen to its machine, so that nobody takes it for a failure.

use serde::{Deserialize, Serialize};

use super::{Instance, Vm};
use crate::document;
use crate::error::Result;
use crate::guest::os::ALL;

const FILE: &str = "expected.json";
const VERSION: u32 = 1;

/// What is meant to happen to a machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    version: u32,
    /// Its guest boots anew.
    pub reset: bool,
    /// Its guest powers off.
    pub shutdown: bool,
}

/// What is meant to happen to the machine of one instance is meant to where it goes.
pub(super) fn carry(from: &Instance, to: &Instance) {
    // There may be nothing; it may change at any time, so it is copied and not linked.
    let _ = std::fs::copy(from.runtime.join(FILE), to.runtime.join(FILE));
}

impl Vm {
    /// Says that from now on, while this test runs, the guest may boot anew by itself.
    ///
    /// [`reboot`](Self::reboot) says so, and so does what is typed in a session, where it looks
    /// like a command to reboot or to power off.
    pub fn expect_reset(&self) -> Result<()> {
        self.expect(|expected| expected.reset = true)
    }

    /// Says that from now on, while this test runs, the guest may power off by itself.
    ///
    /// [`wait_for_shutdown`](Self::wait_for_shutdown), [`system_powerdown`](Self::system_powerdown)
    /// and what is typed in a session say so, too.
    pub fn expect_shutdown(&self) -> Result<()> {
        self.expect(|expected| expected.shutdown = true)
    }

    /// What is meant to happen to the machine; nothing is known of one that is gone.
    pub fn expected(&self) -> Option<Expected> {
        let runtime = self.record()?.instance.runtime;
        match document::read(&runtime.join(FILE), VERSION) {
            Ok(found) => runtime.exists().then(|| found.unwrap_or_default()),
            Err(_) => Some(Expected::default()),
        }
    }

    /// Forgets what was meant to happen: another test begins.
    pub fn expect_nothing(&self) {
        if let Some(record) = self.record() {
            let _ = std::fs::remove_file(record.instance.runtime.join(FILE));
        }
    }

    /// Takes what is typed in a session for what it means.
    pub(super) fn expect_typed(&self, typed: &[u8]) {
        let text = String::from_utf8_lossy(typed);
        let params = self.params();
        let own = ["shutdown_command", "reboot_command"].map(|key| params.find_nonempty(key));
        let words = ALL.iter().flat_map(|os| os.ending_words.iter().copied());
        if own.into_iter().flatten().chain(words).any(|word| text.contains(word)) {
            // Where this cannot be written, a watcher will say more than it should: no more.
            let _ = self.expect(|expected| (expected.reset, expected.shutdown) = (true, true));
        }
    }

    fn expect(&self, change: impl FnOnce(&mut Expected)) -> Result<()> {
        let Some(before) = self.expected() else { return Ok(()) };
        let mut after = before;
        change(&mut after);
        after.version = VERSION;
        if after == before {
            return Ok(());
        }
        document::write(&self.running()?.instance.runtime.join(FILE), &after)
    }
}
