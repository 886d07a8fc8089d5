//! Reports: folds over the events of a run, and nothing else.

mod again;
mod console;
mod documents;
mod format;
mod html;
mod json;
mod junit;
mod log;
mod record;
mod results;
#[cfg(test)]
mod sample;
mod story;
mod tap;
mod text;
mod transitions;
mod whole;

use std::io;

pub use again::{Again, write};
pub use console::{Console, ConsoleOptions, Detail};
pub use documents::Documents;
pub use format::Format;
pub use html::Links;
pub use json::Json;
pub use log::EventLog;
pub use record::{NoteRecord, PhaseRecord, Record, Records, SlowRecord};
pub use results::Results;
pub(crate) use results::write_whole;
pub use story::{Places, Source, Story, Tail};
pub use transitions::Transitions;
pub use whole::{TestRecord, Whole};

use crate::clock::Clock;
use crate::event::{Event, What};

/// A report: takes each event in its turn.
pub trait Fold: Send {
    /// What it is, for the sentence that says that it cannot be written.
    fn name(&self) -> &str;
    /// Takes the next event. An error means that something could not be written; the events go on.
    fn take(&mut self, event: &Event) -> io::Result<()>;
}

/// All reports of one run, and the clock that stamps the events.
pub struct Reports {
    clock: Clock,
    folds: Vec<Box<dyn Fold>>,
    complained: Vec<bool>,
    /// What could not be written first, and why.
    lost: Option<String>,
}

impl Reports {
    /// The reports that `folds` make.
    pub fn new(folds: Vec<Box<dyn Fold>>) -> Self {
        let complained = vec![false; folds.len()];
        Self { clock: Clock::start(), folds, complained, lost: None }
    }

    /// Tells every report that this happened now. A report that cannot be written is told of once
    /// and gets the following events all the same: a disk may have room again.
    pub fn tell(&mut self, what: What) {
        let event = Event { at: Clock::now(), ms: self.clock.milliseconds(), what };
        let mut remarks = Vec::new();
        for (fold, complained) in self.folds.iter_mut().zip(&mut self.complained) {
            if let Err(error) = fold.take(&event)
                && !std::mem::replace(complained, true)
            {
                let what = format!("cannot write {}: {error}", fold.name());
                remarks.push(format!("{what}; the run goes on, its results are incomplete"));
                self.lost.get_or_insert(what);
            }
        }
        for message in remarks {
            self.tell(What::Remark { message });
        }
    }

    /// Milliseconds since the run began.
    pub fn milliseconds(&self) -> u64 {
        self.clock.milliseconds()
    }

    /// What could not be written, if anything could not, and why: a sentence.
    pub fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }

    /// Whether everything could be written so far.
    pub fn complete(&self) -> bool {
        !self.complained.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Full;

    impl Fold for Full {
        fn name(&self) -> &'static str {
            "events.jsonl"
        }

        fn take(&mut self, _: &Event) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
    }

    struct Memory(Arc<Mutex<Vec<What>>>);

    impl Fold for Memory {
        fn name(&self) -> &'static str {
            "memory"
        }

        fn take(&mut self, event: &Event) -> io::Result<()> {
            self.0.lock().expect("no panic").push(event.what.clone());
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_of_once_and_stops_nothing() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut reports = Reports::new(vec![Box::new(Full), Box::new(Memory(seen.clone()))]);
        assert!(reports.complete());
        for test in 1..=3 {
            reports.tell(What::PhaseStarted { test, phase: crate::event::Phase::Run });
        }
        assert!(!reports.complete());
        let lost = reports.lost().expect("something was lost");
        assert!(lost.starts_with("cannot write events.jsonl: "), "{lost}");
        let seen = seen.lock().expect("no panic");
        let remarks: Vec<&What> =
            seen.iter().filter(|what| matches!(what, What::Remark { .. })).collect();
        assert_eq!((seen.len(), remarks.len()), (4, 1));
    }
}
