//! Listens to a run, for the history.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::run::{Ran, Run};
use crate::event::{Event, TestStarted, What};
use crate::report::Fold;

/// Listens to a run. Of its clones, one can be among the reports while another one is asked what
/// there is to keep.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    run: Option<Run>,
    open: HashMap<u32, (Timestamp, TestStarted)>,
}

impl Recorder {
    /// Takes the next event.
    pub fn note(&mut self, event: &Event) {
        self.lock().note(event);
    }

    /// The run so far; nothing where none has begun, or nothing has ended in it.
    pub fn run(&self) -> Option<Run> {
        self.lock().run.clone().filter(|run| !run.tests.is_empty())
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fold for Recorder {
    fn name(&self) -> &'static str {
        super::FILE
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.note(event);
        Ok(())
    }
}

impl Heard {
    fn note(&mut self, event: &Event) {
        match &event.what {
            What::RunStarted(started) => {
                self.run = Some(Run {
                    directory: started.results.file_name().unwrap_or_default().to_owned(),
                    began: event.at,
                    program: started.program.clone(),
                    host: started.host.name.clone(),
                    tests: Vec::new(),
                });
            }
            What::TestStarted(started) => {
                self.open.insert(started.test, (event.at, started.clone()));
            }
            What::TestFinished(finished) => {
                let Some((began, started)) = self.open.remove(&finished.test) else { return };
                let Some(run) = &mut self.run else { return };
                if finished.retried {
                    return;
                }
                run.tests.push(Ran {
                    name: started.name,
                    shortname: started.shortname,
                    subtest: started.subtest,
                    iteration: started.iteration,
                    attempt: started.attempt,
                    outcome: finished.outcome,
                    flaky: finished.flaky,
                    known: finished.known.is_some(),
                    cause: finished.cause,
                    began,
                    duration_ms: finished.duration_ms,
                });
            }
            _ => {}
        }
    }
}
