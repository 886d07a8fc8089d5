//! Runs tests whose children are small scripts, and keeps the events.
#![allow(dead_code, reason = "each of the two test programs uses a part of it")]

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Params, Result};
use kvmtest_runner::child::Program;
use kvmtest_runner::dispatch::{Dispatcher, End, Happening, Settings, Worker};
use kvmtest_runner::event::{Event, Phase, TestFinished, What};
use kvmtest_runner::plan::PlannedTest;
use kvmtest_runner::report::{Fold, Reports, Results};
use kvmtest_runner::stage::{Places, Stage};

/// What a shell script needs to speak the child protocol.
const WORDS: &str = r#"
say() { printf '%s\n' "$1" >&3; }
started() { say '{"event":"started","version":1,"pid":1}'; }
warn() { say '{"event":"note","note":{"note":"warning","message":"'"$1"'"}}'; }
pass() { say '{"event":"finished","outcome":"PASS"}'; exit 0; }
fail() { say '{"event":"finished","outcome":"FAIL","message":"'"$1"'"}'; exit 10; }
interrupted() { say '{"event":"finished","outcome":"INTERRUPTED","contexts":["waiting"]}'; exit 15; }
"#;

/// A place for one run, and what is to happen in it.
pub(crate) struct Bench {
    _dir: tempfile::TempDir,
    pub(crate) results: Results,
    pub(crate) settings: Settings,
    pub(crate) stage: Box<dyn Stage>,
    /// The stages of further workers.
    pub(crate) more: Vec<Box<dyn Stage>>,
    tests: Vec<PlannedTest>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) events: Vec<What>,
    pub(crate) finished: Vec<TestFinished>,
    pub(crate) complete: bool,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(dir.path().into()).expect("UTF-8");
        let mut settings = Settings::new(path.join("scratch"));
        std::fs::create_dir(&settings.scratch).expect("made");
        settings.limits.closed = Duration::from_millis(100);
        let results = Results::create(&path.join("results")).expect("made");
        Self {
            _dir: dir,
            results,
            settings,
            stage: Box::new(Idle),
            more: Vec::new(),
            tests: Vec::new(),
        }
    }

    /// One more test; its child is this shell script.
    pub(crate) fn script(self, script: &str) -> Self {
        self.program(Program::new("/bin/sh", ["-c", &format!("{WORDS}{script}")]), "script")
    }

    /// One more test; its child is this program.
    pub(crate) fn program(mut self, program: Program, subtest: &str) -> Self {
        let number = u32::try_from(self.tests.len() + 1).expect("few tests");
        self.tests.push(PlannedTest {
            number,
            name: format!("full.{subtest}"),
            shortname: subtest.to_owned(),
            dep: Vec::new(),
            subtest: subtest.to_owned(),
            iteration: 1,
            program: Ok(Arc::new(program)),
            makers: Arc::default(),
            params: Params::new(),
            urgent: false,
            expected: None,
        });
        self
    }

    /// Changes the test that was added last.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut PlannedTest)) -> Self {
        change(self.tests.last_mut().expect("a test"));
        self
    }

    pub(crate) fn param(self, key: &str, value: &str) -> Self {
        self.with(|test| test.params.set(key, value))
    }

    pub(crate) fn stage(mut self, stage: impl Stage + 'static) -> Self {
        self.stage = Box::new(stage);
        self
    }

    /// Lets so many workers run the tests; those besides the first have nothing to prepare.
    pub(crate) fn workers(mut self, count: usize) -> Self {
        self.more = (1..count).map(|_| Box::new(Idle) as Box<dyn Stage>).collect();
        self
    }

    pub(crate) fn run(self) -> Outcome {
        self.run_with(|_, _| {})
    }

    /// Runs; `on_event` sees each event as it happens, and may send something to the dispatcher.
    pub(crate) fn run_with(
        self,
        on_event: impl FnMut(&What, &Sender<Happening>) + Send + 'static,
    ) -> Outcome {
        let (events, seen) = channel();
        let sender: Arc<Mutex<Option<Sender<Happening>>>> = Arc::default();
        let memory = Memory { events, sender: sender.clone(), on_event };
        let mut reports = Reports::new(vec![
            Box::new(kvmtest_runner::report::Json::new(self.results.dir())),
            Box::new(memory),
        ]);
        let dispatcher = Dispatcher::new(self.settings, &self.results, &mut reports);
        *sender.lock().expect("no panic") = Some(dispatcher.sender());
        let dir = self.results.dir().to_owned();
        let stages = std::iter::once(self.stage).chain(self.more).enumerate();
        let workers = stages
            .map(|(index, stage)| Worker { stage, env: dir.join(format!("env-{}", index + 1)) })
            .collect();
        let end = dispatcher.run(self.tests, workers);
        let complete = reports.complete();
        drop(reports);
        Outcome::new(end, seen, complete)
    }
}

impl Outcome {
    fn new(end: End, seen: Receiver<What>, complete: bool) -> Self {
        let events: Vec<What> = seen.into_iter().collect();
        let finished = events
            .iter()
            .filter_map(|what| match what {
                What::TestFinished(finished) => Some(finished.clone()),
                _ => None,
            })
            .collect();
        Self { end, events, finished, complete }
    }

    /// The only test's end.
    #[track_caller]
    pub(crate) fn only(&self) -> &TestFinished {
        assert_eq!(self.finished.len(), 1);
        &self.finished[0]
    }

    #[track_caller]
    pub(crate) fn check(&self, outcome: kvmtest_runner::Outcome, part: &str) {
        let only = self.only();
        assert_eq!(only.outcome, outcome, "{only:?}");
        assert!(only.message.contains(part), "`{}` lacks `{part}`", only.message);
    }

    /// What was remarked.
    pub(crate) fn remarks(&self) -> Vec<&str> {
        let remarks = self.events.iter().filter_map(|what| match what {
            What::Remark { message } => Some(message.as_str()),
            _ => None,
        });
        remarks.collect()
    }

    /// The phases that were begun.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.events
            .iter()
            .filter_map(|what| match what {
                What::PhaseStarted { phase, .. } => Some(*phase),
                _ => None,
            })
            .collect()
    }
}

struct Memory<F> {
    events: Sender<What>,
    sender: Arc<Mutex<Option<Sender<Happening>>>>,
    on_event: F,
}

impl<F: FnMut(&What, &Sender<Happening>) + Send> Fold for Memory<F> {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Some(sender) = &*self.sender.lock().expect("no panic") {
            (self.on_event)(&event.what, sender);
        }
        self.events.send(event.what.clone()).map_err(io::Error::other)
    }
}

/// A stage that does nothing.
pub(crate) struct Idle;

impl Stage for Idle {
    fn prepare(&mut self, _: &PlannedTest, _: &Places) -> Result<()> {
        Ok(())
    }

    fn clean(&mut self, _: &PlannedTest, _: &Places, _: bool) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Reads a file of the only test.
pub(crate) fn kept(results: &Utf8Path, file: &str) -> String {
    let dirs: Vec<_> = results
        .read_dir_utf8()
        .expect("listed")
        .map(|entry| entry.expect("an entry").into_path())
        .filter(|path| path.is_dir())
        .collect();
    assert_eq!(dirs.len(), 1, "{dirs:?}");
    std::fs::read_to_string(dirs[0].join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
