//! Everything that the dispatcher can be told.

use crate::child::spawn::Report;

/// Everything that the dispatcher can be told. A desk is a worker's place in the dispatcher.
#[derive(Debug)]
pub enum Happening {
    /// Somebody asked to stop: SIGINT, SIGTERM, SIGHUP.
    Signal,
    /// A stage has prepared for a test, or could not.
    Prepared {
        /// Whose stage.
        desk: usize,
        /// The test's number.
        test: u32,
        /// How it went.
        result: kvmtest::Result<()>,
    },
    /// What a stage is busy with takes long; empty when that is over.
    Doing {
        /// Whose stage.
        desk: usize,
        /// What it does.
        what: String,
    },
    /// A child said something, or ended.
    Child {
        /// On whose desk.
        desk: usize,
        /// The test's number.
        test: u32,
        /// What there is to tell.
        report: Report,
    },
    /// A stage has cleaned up after a test, with these warnings, or could not.
    Cleaned {
        /// Whose stage.
        desk: usize,
        /// The test's number.
        test: u32,
        /// How it went.
        result: kvmtest::Result<Vec<String>>,
    },
    /// A stage has nothing left to do.
    Closed {
        /// Whose stage.
        desk: usize,
        /// How its last cleaning up went.
        result: kvmtest::Result<Vec<String>>,
    },
}
