//! A whole run as its events tell it: what every report is made from that is not written as the
//! events come.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::record::{Record, Records};
use super::transitions::Transitions;
use crate::event::{Counts, Event, Recorded, RunStarted, What};

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// What the first event said; nothing where that is lost.
    pub started: Option<RunStarted>,
    /// When the run began.
    pub began: Option<Timestamp>,
    /// How it ended; nothing where the events end before it.
    pub end: Option<End>,
    /// What was said that belongs to no test, with the milliseconds since the run began.
    pub remarks: Vec<(u64, String)>,
    /// Lines that are no events, with the reason.
    pub broken: Vec<(usize, String)>,
    /// Where the results lie now, if they were moved.
    results: Option<Utf8PathBuf>,
    tests: BTreeMap<u32, TestRecord>,
    /// How many tests the list has of those that were planned.
    listed: usize,
    records: Records,
    last_ms: u64,
}

/// A test with all its tries.
#[derive(Debug, Clone)]
pub struct TestRecord {
    /// The tries that do not count, in their order.
    pub earlier: Vec<Record>,
    /// The one that counts.
    pub last: Record,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// How many tests ended how.
    pub counts: Counts,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether somebody asked it to stop.
    pub interrupted: bool,
}

impl Whole {
    /// The run that these events tell of. Lines that were no events are part of it.
    pub fn of(recorded: &Recorded) -> Self {
        let mut whole = Self::default();
        for event in &recorded.events {
            whole.take(event);
        }
        whole.close();
        whole.broken.clone_from(&recorded.broken);
        whole
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        self.last_ms = self.last_ms.max(event.ms);
        if let Some(record) = self.records.take(event) {
            self.add(record);
        }
        match &event.what {
            What::RunStarted(started) => {
                self.began = Some(event.at);
                self.started = Some(started.clone());
            }
            What::Planned { tests } => self.listed = tests.len(),
            What::Remark { message } => self.remarks.push((event.ms, message.clone())),
            What::RunFinished { counts, duration_ms, interrupted } => {
                let (counts, duration_ms) = (*counts, *duration_ms);
                self.end = Some(End { counts, duration_ms, interrupted: *interrupted });
                self.close();
            }
            _ => {}
        }
    }

    /// No more events come: what has not ended by now never will.
    pub fn close(&mut self) {
        let rest = self.records.rest();
        rest.for_each(|record| self.add(record));
    }

    /// The tests that have begun, in the order of their numbers.
    pub fn tests(&self) -> impl ExactSizeIterator<Item = &TestRecord> {
        self.tests.values()
    }

    /// How many tests were to be run, as far as that is known.
    pub fn planned(&self) -> usize {
        let said = self.started.as_ref().map_or(0, |started| started.planned);
        said.max(self.listed).max(self.tests.len())
    }

    /// How many tests ended how: what the last event says, or else what all others do.
    pub fn counts(&self) -> Counts {
        if let Some(end) = self.end {
            return end.counts;
        }
        let mut counts = Counts { not_run: self.planned() - self.tests.len(), ..Counts::default() };
        for finished in self.tests().filter_map(|test| test.last.finished.as_ref()) {
            if finished.known.is_some() {
                counts.known += 1;
            } else {
                counts.add(finished.outcome);
            }
            counts.flaky += usize::from(finished.flaky);
        }
        counts
    }

    /// What machines went through under their tests, all tries counted; nothing where nobody wanted
    /// it (`--perturb`).
    pub fn transitions(&self) -> Option<Transitions> {
        let mut all = Transitions::default();
        let records = self.tests().flat_map(|test| test.earlier.iter().chain([&test.last]));
        records.for_each(|record| all += &record.transitions);
        let wanted = self.started.as_ref().is_some_and(|started| started.perturb.is_some());
        (wanted || !all.is_empty()).then_some(all)
    }

    /// How many tests had begun and not ended when the events ended.
    pub fn unfinished(&self) -> usize {
        self.tests().filter(|test| test.last.finished.is_none()).count()
    }

    /// How long the run took, in milliseconds; up to the last event where it has not ended.
    pub fn duration_ms(&self) -> u64 {
        self.end.map_or(self.last_ms, |end| end.duration_ms)
    }

    /// Whether somebody asked the run to stop.
    pub fn interrupted(&self) -> bool {
        self.end.is_some_and(|end| end.interrupted)
    }

    /// The results directory.
    pub fn results(&self) -> &Utf8Path {
        let said = self.started.as_ref().map(|started| &started.results);
        self.results.as_ref().or(said).map_or(Utf8Path::new("."), Utf8PathBuf::as_path)
    }

    /// The results lie here now, wherever the events say they did.
    pub fn set_results(&mut self, dir: &Utf8Path) {
        self.results = Some(dir.to_owned());
    }

    /// The folders that the subtests' sources lie in.
    pub fn sources(&self) -> &[Utf8PathBuf] {
        self.started.as_ref().map_or(&[], |started| &started.sources)
    }

    fn add(&mut self, record: Record) {
        use std::collections::btree_map::Entry;
        match self.tests.entry(record.started.test) {
            Entry::Vacant(entry) => {
                entry.insert(TestRecord { earlier: Vec::new(), last: record });
            }
            Entry::Occupied(mut entry) => {
                let test = entry.get_mut();
                let before = std::mem::replace(&mut test.last, record);
                test.earlier.push(before);
            }
        }
    }
}
