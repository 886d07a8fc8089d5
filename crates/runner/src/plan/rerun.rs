//! `--rerun`: what an earlier run has left to be done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;

use camino::Utf8Path;

use crate::event::{self, Event, What};

/// What is to be run again of an earlier run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failed {
    /// The full names of the tests that ended as FAIL, ERROR or INTERRUPTED, or did not end; a
    /// known failure is none. And of those that were never started, because the run was stopped,
    /// or died, before their turn came: nothing is known about what they test, either.
    pub(super) names: BTreeSet<String>,
    /// Whether some of them were never started.
    pub(super) unstarted: bool,
    /// The set that the run's tests were from.
    pub(super) set: Option<String>,
    /// What the run's machines went through: `migrate@42`.
    pub(super) perturb: Option<String>,
}

impl Failed {
    /// What the tests have in common: `failed`.
    pub(super) fn what(&self) -> &'static str {
        if self.unstarted { "failed or never started" } else { "failed" }
    }
}

/// What failed in the run whose events are in the file `path`. A file without any event is an
/// error: nothing is known of that run.
pub(super) fn failed(path: &Utf8Path) -> io::Result<Failed> {
    let events = event::read(path)?.events;
    if events.is_empty() {
        return Err(io::Error::other(event::NO_RECORD));
    }
    Ok(of_events(&events))
}

fn of_events(events: &[Event]) -> Failed {
    let mut failed = Failed::default();
    let mut open: HashMap<u32, &str> = HashMap::new();
    let mut waiting: BTreeMap<u32, &str> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::RunStarted(started) => {
                failed.set.clone_from(&started.set);
                failed.perturb.clone_from(&started.perturb);
            }
            What::Planned { tests } => waiting.extend((1..).zip(tests.iter().map(String::as_str))),
            What::TestStarted(started) => {
                waiting.remove(&started.test);
                open.insert(started.test, &started.name);
            }
            What::TestFinished(finished) => {
                let name = open.remove(&finished.test);
                let counts =
                    finished.outcome.is_failure() && !finished.retried && finished.known.is_none();
                failed.names.extend(name.filter(|_| counts).map(str::to_owned));
            }
            _ => {}
        }
    }
    failed.unstarted = !waiting.is_empty();
    failed.names.extend(open.into_values().chain(waiting.into_values()).map(str::to_owned));
    failed
}
