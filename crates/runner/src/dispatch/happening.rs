//! Everything that the dispatcher can be told.

use kvmtest::test::Note;

use super::Visit;
use crate::cause::Judgement;
use crate::child::spawn::Report;
use crate::hold::Held;
use crate::watch::Finding;

/// Everything that the dispatcher can be told. A desk is a worker's place in the dispatcher.
#[derive(Debug)]
pub enum Happening {
    /// Somebody asked to stop: SIGINT, SIGTERM, SIGHUP.
    Signal,
    /// A stage says something of a test.
    Noted {
        /// Whose stage.
        desk: usize,
        /// The test's number.
        test: u32,
        /// What it says.
        note: Note,
    },
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
    /// Something was found on a machine while a subtest runs.
    Found {
        /// On whose desk.
        desk: usize,
        /// The test's number.
        test: u32,
        /// What was found.
        finding: Finding,
    },
    /// A person is to be let into a machine of a test that failed.
    Knocks(Box<Visit>),
    /// The person who was let in has left.
    Left {
        /// Whose test.
        desk: usize,
        /// The test's number.
        test: u32,
    },
    /// A test was judged, and its stage has cleaned up after it, with these warnings, or could
    /// not.
    Cleaned {
        /// Whose stage.
        desk: usize,
        /// The test's number.
        test: u32,
        /// What is known of it, but for what watched over it having failed itself.
        judged: Box<Option<Judged>>,
        /// How it went.
        result: kvmtest::Result<Vec<String>>,
    },
    /// A stage that was at no test has ended its machines, which had these names.
    Cleared {
        /// Whose stage.
        desk: usize,
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

/// What is known of a test once it was judged and cleaned up after.
#[derive(Debug)]
pub struct Judged {
    /// How it ended, and why.
    pub judgement: Judgement,
    /// What became of its machines.
    pub held: Held,
}
