//! What happens in a run, as it happens: one JSON document a line in `events.jsonl`. Every report
//! is made of these, and of nothing else.

pub(crate) mod place;
mod reader;

use jiff::Timestamp;
use kvmtest::perturb::Kind;
use kvmtest::test::Note;
use serde::{Deserialize, Serialize};

pub use place::events_of;
pub(crate) use reader::NO_RECORD;
pub use reader::{Recorded, read};

use crate::outcome::Outcome;
use crate::watch::Finding;

/// The version of the events; the first line of the file carries it.
pub const VERSION: u32 = 1;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The time of day (UTC).
    pub at: Timestamp,
    /// Milliseconds since the run began, by a clock that never jumps.
    pub ms: u64,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The first event.
    RunStarted(RunStarted),
    /// What is to be run, before anything is.
    Planned {
        /// The full names of the tests, in the order of their numbers.
        tests: Vec<String>,
    },
    /// A test's turn has come.
    TestStarted(TestStarted),
    /// A phase of a test begins.
    PhaseStarted {
        /// The test's number.
        test: u32,
        /// The phase.
        phase: Phase,
    },
    /// A test says something.
    Note {
        /// The test's number.
        test: u32,
        /// What it says.
        note: Note,
    },
    /// A machine of a test went through something under it (`--perturb`).
    Perturbed {
        /// The test's number.
        test: u32,
        /// What.
        kind: Kind,
        /// The same in words: at which checkpoint, before what, and how long it took.
        what: String,
    },
    /// A phase of a test is over.
    PhaseEnded {
        /// The test's number.
        test: u32,
        /// The phase.
        phase: Phase,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What went wrong in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A test is still in the same phase after a long time.
    Slow {
        /// The test's number.
        test: u32,
        /// The phase.
        phase: Phase,
        /// How long it has been in it, in milliseconds.
        after_ms: u64,
        /// What it waits for, as far as it has said so.
        waiting_for: String,
    },
    /// A person is let into a machine of a test that failed, before that is cleaned up after.
    /// Nothing is started until they leave.
    Entered {
        /// The test's number.
        test: u32,
        /// The VM's name.
        vm: String,
        /// How the test ended, as far as that is known.
        so_far: Box<TestFinished>,
    },
    /// The person has left.
    Left {
        /// The test's number.
        test: u32,
    },
    /// A test is over.
    TestFinished(TestFinished),
    /// Something that belongs to no test.
    Remark {
        /// The text.
        message: String,
    },
    /// The last event.
    RunFinished {
        /// How many tests ended how.
        counts: Counts,
        /// How long the run took, in milliseconds.
        duration_ms: u64,
        /// Whether somebody asked it to stop before its end.
        interrupted: bool,
    },
}

/// A part of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The machines are brought into the state that the test needs.
    Prepare,
    /// The subtest runs.
    Run,
    /// What it leaves is cleaned up.
    Clean,
}

impl Phase {
    /// The word: `prepare`, `run`, `clean`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Run => "run",
            Self::Clean => "clean",
        }
    }
}

/// A run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`VERSION`].
    pub version: u32,
    /// The program and its version: `kvmtest 0.1.0`.
    pub program: String,
    /// Where it runs.
    pub host: Host,
    /// The command line.
    pub argv: Vec<String>,
    /// The results directory.
    pub results: camino::Utf8PathBuf,
    /// How many tests are to be run.
    pub planned: usize,
    /// The set of the configuration that they are from, where it has sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// What their machines go through, so that `--perturb` brings it back: `migrate@42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perturb: Option<String>,
    /// The tests that are left out because they say `skip = yes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The folders that the subtests' sources lie in, for reports that show the line that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<camino::Utf8PathBuf>,
}

/// Facts about the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its kernel's release.
    pub kernel: String,
    /// Its architecture.
    pub machine: String,
    /// How many processors this process may use.
    pub cpus: usize,
}

/// A test's turn has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStarted {
    /// The test's number in this run, counted from 1.
    pub test: u32,
    /// The full name of the variant.
    pub name: String,
    /// The short name.
    pub shortname: String,
    /// The subtest: what the key `type` names.
    pub subtest: String,
    /// Which repetition this is, counted from 1.
    pub iteration: u32,
    /// Which try this is, counted from 1: a test that failed may be tried again.
    #[serde(default = "first")]
    pub attempt: u32,
    /// The worker that runs it, counted from 1.
    #[serde(default = "first")]
    pub worker: u32,
    /// The test's directory in the results.
    pub directory: String,
}

fn first() -> u32 {
    1
}

/// A test is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestFinished {
    /// The test's number.
    pub test: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The test is tried again: this try does not count.
    #[serde(default, skip_serializing_if = "is_no")]
    pub retried: bool,
    /// It passed, but not at the first try.
    #[serde(default, skip_serializing_if = "is_no")]
    pub flaky: bool,
    /// The failure was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownFailure>,
    /// What kind of error it was, in the library's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What went wrong; empty for PASS.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What was being done, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// The line of source, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What the other side had said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The stack, where one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
    /// What shows that this is the cause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause_shown_by: String,
    /// What was found on its machines while it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The last lines of the console as they were when the test had failed, before anything else
    /// was done. The log of it may have more: what came later, while people looked at the machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub console_tail: Vec<String>,
    /// The log in the test's directory that the console is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_log: Option<String>,
    /// The last lines of the session that was used last, as they were when the test had failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub session_tail: Vec<String>,
    /// The log in the test's directory that this session is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_log: Option<String>,
    /// The script, in the test's directory, that starts the machine by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_script: Option<String>,
    /// Its machines that live on after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survivors: Vec<Survivor>,
    /// The names of its machines that lived when it had failed, and were ended after it, though
    /// they could have been kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<String>,
    /// The files in the test's directory, for who wants to know more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// By how much its deadlines were put off, in milliseconds, because the host was starved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stalled_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the attribute that calls it wants it so")]
fn is_no(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the attribute that calls it wants it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A machine that lives on after its test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survivor {
    /// The VM's name.
    pub vm: String,
    /// The env file that knows it.
    pub env: camino::Utf8PathBuf,
    /// Which of all machines of that name it is.
    pub instance: String,
    /// Commands that lead into it, a line each.
    pub attach: Vec<String>,
}

/// Why a test failed, decided from evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An assertion of the subtest did not hold.
    TestFailed,
    /// The guest's kernel crashed.
    GuestCrashed,
    /// The guest's kernel does not run any more, or answers nothing.
    GuestHung,
    /// The guest never came up.
    GuestDidNotBoot,
    /// The QEMU process ended by itself.
    QemuDied,
    /// QEMU did not accept its configuration.
    QemuRefused,
    /// The host had no time or memory for the test.
    HostStarved,
    /// What the test needs could not be prepared.
    SetUpFailed,
    /// The subtest has an error in itself.
    TestBroken,
}

impl Cause {
    /// In words: `guest did not boot`.
    pub fn words(self) -> &'static str {
        match self {
            Self::TestFailed => "test failed",
            Self::GuestCrashed => "guest crashed",
            Self::GuestHung => "guest hung",
            Self::GuestDidNotBoot => "guest did not boot",
            Self::QemuDied => "QEMU died",
            Self::QemuRefused => "QEMU refused",
            Self::HostStarved => "host starved",
            Self::SetUpFailed => "set-up failed",
            Self::TestBroken => "test broken",
        }
    }
}

/// An entry of the list of known failures that a failure matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFailure {
    /// Why it is expected.
    pub reason: String,
    /// Where it is followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl std::fmt::Display for KnownFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)?;
        self.link.iter().try_for_each(|link| write!(f, " ({link})"))
    }
}

/// How many tests ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// PASS.
    pub pass: usize,
    /// SKIP.
    pub skip: usize,
    /// CANCEL.
    pub cancel: usize,
    /// WARN.
    pub warn: usize,
    /// FAIL.
    pub fail: usize,
    /// ERROR.
    pub error: usize,
    /// INTERRUPTED.
    pub interrupted: usize,
    /// FAIL or ERROR, but known: they are not among the others, and do not fail the run.
    pub known: usize,
    /// Passed, but not at the first try: they are among the others, too.
    pub flaky: usize,
    /// Planned, but never started.
    pub not_run: usize,
}

impl Counts {
    /// Counts one more test.
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
    }

    /// How many tests ended as `outcome`.
    pub fn of(mut self, outcome: Outcome) -> usize {
        *self.slot(outcome)
    }

    /// How many tests ended at all.
    pub fn total(self) -> usize {
        self.known + Outcome::ALL.into_iter().map(|outcome| self.of(outcome)).sum::<usize>()
    }

    /// How many tests ended in a way that makes the run a failed one.
    pub fn failures(self) -> usize {
        Outcome::ALL
            .into_iter()
            .filter(|outcome| outcome.is_failure())
            .map(|outcome| self.of(outcome))
            .sum()
    }

    fn slot(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Skip => &mut self.skip,
            Outcome::Cancel => &mut self.cancel,
            Outcome::Warn => &mut self.warn,
            Outcome::Fail => &mut self.fail,
            Outcome::Error => &mut self.error,
            Outcome::Interrupted => &mut self.interrupted,
        }
    }
}
