//! `--rerun`: what failed in an earlier run.

use std::collections::{BTreeSet, HashMap};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::event::{self, Event, What};

/// What failed in an earlier run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failed {
    /// The full names of the tests that ended as FAIL, ERROR or INTERRUPTED, or did not end. A
    /// known failure is none.
    pub(super) names: BTreeSet<String>,
    /// The set that the run's tests were from.
    pub(super) set: Option<String>,
}

/// The events of the run that `path` means: its folder, a folder of results with runs in it (then
/// it is the last one), or the file itself.
pub(super) fn events_of(path: &Utf8Path) -> Utf8PathBuf {
    const EVENTS: &str = "events.jsonl";
    let last = path.join("latest").join(EVENTS);
    if path.is_file() {
        path.to_owned()
    } else if !path.join(EVENTS).exists() && last.exists() {
        last
    } else {
        path.join(EVENTS)
    }
}

/// What failed in the run whose events are in the file `path`.
pub(super) fn failed(path: &Utf8Path) -> io::Result<Failed> {
    Ok(of_events(&event::read(path)?.events))
}

fn of_events(events: &[Event]) -> Failed {
    let mut failed = Failed::default();
    let mut open: HashMap<u32, &str> = HashMap::new();
    for event in events {
        match &event.what {
            What::RunStarted(started) => failed.set.clone_from(&started.set),
            What::TestStarted(started) => {
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
    failed.names.extend(open.into_values().map(str::to_owned));
    failed
}
