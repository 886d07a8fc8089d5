//! What the history tells of one test.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::Serialize;

use crate::outcome::Outcome;

/// The version of stories as JSON.
pub const VERSION: u32 = 1;

/// How many of the last times are compared with those before them.
const RECENT: usize = 5;

/// How many times there have to be before those, for a comparison to mean anything.
const BEFORE: usize = 3;

/// What the history tells of one test. Repetitions count each by itself, tries do not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// The full name.
    pub name: String,
    /// The short name, as it was last.
    pub shortname: String,
    /// The subtest, as it was last.
    pub subtest: String,
    /// How often it ended, however.
    pub runs: u32,
    /// How often it passed.
    pub passed: u32,
    /// How often it failed, known failures included.
    pub failed: u32,
    /// How often it failed as expected.
    pub known: u32,
    /// How often it passed, but not at the first try.
    pub flaky: u32,
    /// Of the times that it passed or failed, the part that it passed: 0 to 1.
    pub pass_rate: Option<f64>,
    /// Of the times that it passed or failed, the part in which it needed another try or ended
    /// otherwise than the time before: 0 to 1. A test that broke once and for all is not flaky.
    pub flakiness: Option<f64>,
    /// How it ended last.
    pub last: Last,
    /// The median of the last five times it passed, in milliseconds.
    pub median_ms: Option<u64>,
    /// The median of all times before those, in milliseconds, where there are three or more.
    pub median_before_ms: Option<u64>,
    /// By how much the one is longer than the other: 0.5 for half as long again, -0.5 for half as
    /// long.
    pub trend: Option<f64>,
}

/// How a test ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// How.
    pub outcome: Outcome,
    /// Whether that was expected.
    pub known: bool,
    /// When it had begun.
    pub at: Timestamp,
    /// The folder of the run in the folder of results.
    pub directory: String,
}

impl Story {
    /// Those first that deserve a look: what failed last, then what is flaky, then what passes
    /// seldom.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let fails = |story: &Self| story.last.outcome.is_failure() && !story.last.known;
        let rate = |rate: Option<f64>, without: f64| rate.unwrap_or(without);
        fails(other)
            .cmp(&fails(self))
            .then(rate(other.flakiness, 0.0).total_cmp(&rate(self.flakiness, 0.0)))
            .then(rate(self.pass_rate, 1.0).total_cmp(&rate(other.pass_rate, 1.0)))
            .then_with(|| self.name.cmp(&other.name))
    }
}

/// One end of a test.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) flaky: bool,
    pub(super) known: bool,
    pub(super) at: Timestamp,
    pub(super) duration_ms: u64,
    pub(super) directory: String,
}

/// Makes stories of ends, which come test by test, the oldest of each first.
#[derive(Debug, Default)]
pub(super) struct Stories {
    done: Vec<Story>,
    current: Option<Telling>,
}

/// A story that is not told to its end.
#[derive(Debug)]
struct Telling {
    story: Story,
    /// Whether it passed the last time that it passed or failed.
    passed: Option<bool>,
    /// How often that changed, or it needed another try.
    odd: u32,
    times: Vec<u64>,
}

impl Stories {
    pub(super) fn add(&mut self, name: String, shortname: String, subtest: String, ended: Ended) {
        if self.current.as_ref().is_none_or(|current| current.story.name != name) {
            self.close();
        }
        let last = Last {
            outcome: ended.outcome,
            known: ended.known,
            at: ended.at,
            directory: ended.directory.clone(),
        };
        let current = self.current.get_or_insert_with(|| Telling::new(name, last.clone()));
        current.story.shortname = shortname;
        current.story.subtest = subtest;
        current.story.last = last;
        current.add(&ended);
    }

    pub(super) fn finish(mut self) -> Vec<Story> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        self.done.extend(self.current.take().map(Telling::finish));
    }
}

impl Telling {
    fn new(name: String, last: Last) -> Self {
        let story = Story {
            name,
            shortname: String::new(),
            subtest: String::new(),
            runs: 0,
            passed: 0,
            failed: 0,
            known: 0,
            flaky: 0,
            pass_rate: None,
            flakiness: None,
            last,
            median_ms: None,
            median_before_ms: None,
            trend: None,
        };
        Self { story, passed: None, odd: 0, times: Vec::new() }
    }

    fn add(&mut self, ended: &Ended) {
        let story = &mut self.story;
        story.runs += 1;
        let passed = match ended.outcome {
            Outcome::Pass | Outcome::Warn => true,
            Outcome::Fail | Outcome::Error => false,
            Outcome::Skip | Outcome::Cancel | Outcome::Interrupted => return,
        };
        if passed {
            self.times.push(ended.duration_ms);
        }
        story.passed += u32::from(passed);
        story.failed += u32::from(!passed);
        story.known += u32::from(ended.known);
        story.flaky += u32::from(ended.flaky);
        let changed = self.passed.replace(passed).is_some_and(|before| before != passed);
        self.odd += u32::from(ended.flaky || changed);
    }

    fn finish(mut self) -> Story {
        let mut story = self.story;
        let counted = story.passed + story.failed;
        let rate = |part: u32| (counted > 0).then(|| f64::from(part) / f64::from(counted));
        story.pass_rate = rate(story.passed);
        story.flakiness = rate(self.odd);
        let mut recent = self.times.split_off(self.times.len().saturating_sub(RECENT));
        story.median_ms = median(&mut recent);
        story.median_before_ms = median(&mut self.times).filter(|_| self.times.len() >= BEFORE);
        story.trend = story.median_ms.zip(story.median_before_ms).and_then(longer);
        story
    }
}

/// By how much one time is longer than another.
fn longer((now, before): (u64, u64)) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "times of 2^53 ms do not happen")]
    (before > 0).then(|| now as f64 / before as f64 - 1.0)
}

/// The middle of some numbers; of two middles the smaller one.
pub(super) fn median(numbers: &mut [u64]) -> Option<u64> {
    numbers.sort_unstable();
    numbers.get(numbers.len().checked_sub(1)? / 2).copied()
}
