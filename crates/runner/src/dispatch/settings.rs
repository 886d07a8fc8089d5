//! What holds for all tests of a run, and how a run ends.

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::child::spawn::Limits;
use crate::event::Counts;
use crate::hold::OnFail;
use crate::known::Known;
use crate::queue::Capacity;

/// What holds for all tests of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the tests' scratch directories are made.
    pub scratch: Utf8PathBuf,
    /// What a child may use up.
    pub limits: Limits,
    /// How long each phase may take where a test's params do not say.
    pub timeouts: Timeouts,
    /// How long the whole run may take.
    pub run_timeout: Option<Duration>,
    /// How long a child may take to end once it was asked to, before it is killed.
    pub grace: Duration,
    /// How long a phase in this process may take to end once its waits were interrupted, before
    /// its worker is given up.
    pub patience: Duration,
    /// What the host has for the tests that run at one time.
    pub capacity: Capacity,
    /// How often a test is tried again that ended as FAIL or ERROR.
    pub retries: u32,
    /// How often a test is run as long as it passes; 0 and 1 mean once.
    pub repeat_until_fail: u32,
    /// Nothing is started any more once so many tests have failed.
    pub max_failures: Option<usize>,
    /// What becomes of the machines of a test that failed.
    pub on_fail: OnFail,
    /// The failures that are expected.
    pub known: Known,
    /// The folders of the crates of subtests: a place in one of their files is told as seen from
    /// the working directory, or from there.
    pub sources: Vec<Utf8PathBuf>,
}

/// How long each phase may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// `prepare_timeout`.
    pub prepare: Duration,
    /// `test_timeout`.
    pub run: Duration,
    /// `clean_timeout`.
    pub clean: Duration,
    /// After this a phase is called slow, and again whenever it has taken twice as long:
    /// `slow_after`.
    pub slow: Duration,
}

impl Settings {
    /// The usual settings, with scratch directories made in `scratch`.
    pub fn new(scratch: impl Into<Utf8PathBuf>) -> Self {
        Self {
            scratch: scratch.into(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            run_timeout: None,
            grace: Duration::from_secs(5),
            patience: Duration::from_secs(30),
            capacity: Capacity::UNLIMITED,
            retries: 0,
            repeat_until_fail: 0,
            max_failures: None,
            on_fail: OnFail::Kill,
            known: Known::default(),
            sources: Vec::new(),
        }
    }
}

impl Default for Timeouts {
    /// An hour for the subtest, a quarter of an hour on both sides of it; slow after a minute.
    fn default() -> Self {
        let minutes = |number: u64| Duration::from_secs(60 * number);
        Self { prepare: minutes(15), run: minutes(60), clean: minutes(15), slow: minutes(1) }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many tests ended how.
    pub counts: Counts,
    /// Whether it was stopped before its end: somebody asked, or its time was up.
    pub interrupted: bool,
    /// How many known failures have expired, or do not fail any more.
    pub unmet: usize,
}
