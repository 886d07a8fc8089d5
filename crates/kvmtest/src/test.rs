//! The test as a subtest sees it: where its files lie, and the words by which it gives a verdict.

use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// The environment variable that tells all processes of a test from others: its value is the
/// test's scratch directory. What has it and is still there after the test is the test's fault;
/// so machines and their guards do not have it.
pub const MARK: &str = "KVMTEST_MARK";

/// The running test.
pub struct Test {
    identity: Identity,
    sink: Mutex<Box<dyn FnMut(Note) + Send>>,
}

/// Which test it is and where its things lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The full name of the variant, labels joined by dots.
    pub name: String,
    /// The short name: what a person types and reads.
    pub shortname: String,
    /// The name of the subtest: `boot` for `run_boot`.
    pub subtest: String,
    /// Which repetition this is, counted from 1.
    pub iteration: u32,
    /// Everything that the test leaves for people to read goes here.
    pub results_dir: Utf8PathBuf,
    /// Private to this test, and removed when it has ended.
    pub scratch_dir: Utf8PathBuf,
}

/// What a subtest says while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// A line for the log.
    Log {
        /// The text.
        message: String,
    },
    /// Bad, but no failure: the test ends as WARN if nothing worse comes.
    Warning {
        /// The text.
        message: String,
    },
    /// A fact to keep with the result.
    KeyValue {
        /// Its name.
        key: String,
        /// Its value.
        value: String,
    },
}

impl Test {
    /// A test that hands what it says to `sink`.
    pub fn new(identity: Identity, sink: impl FnMut(Note) + Send + 'static) -> Self {
        Self { identity, sink: Mutex::new(Box::new(sink)) }
    }

    /// The full name of the variant.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// The short name of the variant.
    pub fn shortname(&self) -> &str {
        &self.identity.shortname
    }

    /// Which repetition this is, counted from 1.
    pub fn iteration(&self) -> u32 {
        self.identity.iteration
    }

    /// The directory for what people are to read afterwards.
    pub fn results_dir(&self) -> &Utf8Path {
        &self.identity.results_dir
    }

    /// A private directory that is removed when the test has ended.
    pub fn scratch_dir(&self) -> &Utf8Path {
        &self.identity.scratch_dir
    }

    /// What was tested is wrong: `test.fail("the guest lost its disk")?`.
    pub fn fail(&self, why: impl Into<String>) -> Result<()> {
        Err(Error::new(ErrorKind::TestFail, why))
    }

    /// The test could not be carried out: `test.error("no free port")?`.
    pub fn error(&self, why: impl Into<String>) -> Result<()> {
        Err(Error::new(ErrorKind::TestError, why))
    }

    /// Not applicable here: `test.skip("needs two NICs")?`.
    pub fn skip(&self, why: impl Into<String>) -> Result<()> {
        Err(Error::new(ErrorKind::TestSkip, why))
    }

    /// Given up on purpose: `test.cancel("the lab is closing")?`.
    pub fn cancel(&self, why: impl Into<String>) -> Result<()> {
        Err(Error::new(ErrorKind::TestCancel, why))
    }

    /// Bad, but no failure; the test goes on.
    pub fn warn(&self, message: impl Into<String>) {
        self.say(Note::Warning { message: message.into() });
    }

    /// A line for the log.
    pub fn log(&self, message: impl Into<String>) {
        self.say(Note::Log { message: message.into() });
    }

    /// Keeps a fact with the result.
    pub fn write_keyval(&self, key: impl Into<String>, value: impl Into<String>) {
        self.say(Note::KeyValue { key: key.into(), value: value.into() });
    }

    fn say(&self, note: Note) {
        // A sink that panicked once has nothing left to lose.
        let mut sink = self.sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sink(note);
    }
}
