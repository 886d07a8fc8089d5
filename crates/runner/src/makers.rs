//! Runs the subtests that make states (`state_subtest`), each in a process of its own.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use camino::Utf8Path;
use kvmtest::state::{self, Subtests};
use kvmtest::test::{Identity, Note};
use kvmtest::{Deadline, Error, ErrorKind, Params, Result, Vm, wait};

use crate::around::Around;
use crate::child::protocol::{ChildEvent, Request, VERSION};
use crate::child::spawn::{self, Limits, Report, Running};
use crate::child::verdict::{Stop, judge};
use crate::child::{Ending, Program};
use crate::plan::{self, PlannedTest};
use crate::stage::Places;

/// How long such a subtest may take: `test_timeout`.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How long its process has to end once it was killed.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the subtests that make states of a test's machines, each in a process of its own, on the
/// machine that the env file knows. What they write lies in folders of their own.
pub struct Makers {
    programs: Arc<BTreeMap<String, Arc<Program>>>,
    test: String,
    params: Params,
    places: Places,
    said: Vec<Note>,
}

/// A subtest that runs.
struct Child {
    running: Running,
    reports: Receiver<Report>,
    /// Readable whenever there is a report.
    bell: UnixStream,
}

impl Makers {
    /// Those of `test`, whose machines are in the env file of `places`.
    pub fn new(test: &PlannedTest, places: &Places) -> Self {
        Self {
            programs: test.makers.clone(),
            test: test.name.clone(),
            params: test.params.clone(),
            places: places.clone(),
            said: Vec::new(),
        }
    }

    pub(crate) fn of(around: &Around) -> Self {
        Self {
            programs: around.makers.clone(),
            test: around.test.clone(),
            params: around.params.clone(),
            places: around.places.clone(),
            said: Vec::new(),
        }
    }

    /// What they had to say.
    pub fn said(self) -> Vec<Note> {
        self.said
    }

    fn program(&self, name: &str) -> Result<&Program> {
        self.programs.get(name).map(Arc::as_ref).ok_or_else(|| {
            Error::new(ErrorKind::Params, format!("there is no subtest `{name}` (`state_subtest`)"))
        })
    }

    fn request(&self, vm: &Vm, name: &str) -> Result<Request> {
        let folder = |base: &Utf8Path| {
            let folder = base.join(format!("making-{}-{name}", vm.name()));
            std::fs::create_dir_all(&folder)?;
            Ok::<_, Error>(folder)
        };
        let mut params = self.params.clone();
        params.set("type", name);
        params.set("main_vm", vm.name());
        let identity = Identity {
            name: self.test.clone(),
            shortname: name.to_owned(),
            subtest: name.to_owned(),
            iteration: 1,
            results_dir: folder(&self.places.results)?,
            scratch_dir: folder(&self.places.scratch)?,
        };
        let env = self.places.env.clone();
        let parent = std::process::id();
        Ok(Request { version: VERSION, parent, subtest: name.to_owned(), identity, env, params })
    }
}

impl Subtests for Makers {
    /// Digests of all files that its command line names: the program it is compiled into, or the
    /// Python and its own file.
    fn identity(&self, name: &str) -> Result<String> {
        let program = self.program(name)?;
        let words = program.args.iter().filter_map(|word| word.to_str()).map(Utf8Path::new);
        let files = words.filter(|word| word.is_absolute() && word.is_file());
        let mut digests = vec![env!("CARGO_PKG_VERSION").to_owned()];
        for file in std::iter::once(program.path.as_path()).chain(files) {
            digests.push(state::digest_of(file)?);
        }
        Ok(digests.join(" "))
    }

    fn params(&self) -> Vec<(String, String)> {
        plan::own_params(&self.params)
    }

    fn run(&mut self, vm: &Vm, name: &str) -> Result<()> {
        let request = self.request(vm, name)?;
        let timeout = self.params.get_duration_or("test_timeout", TIMEOUT)?;
        let child = Child::start(self.program(name)?, &request)?;
        let (ending, stop) = child.wait(timeout, name, &mut self.said)?;
        let verdict = judge(ending, stop);
        if verdict.outcome.is_pass() {
            return Ok(());
        }
        let word = verdict.outcome.word();
        let message = format!("it ended as {word}: {}", verdict.message);
        let error = Error::new(ErrorKind::TestError, message);
        Err(verdict.contexts.into_iter().rev().fold(error, Error::context))
    }
}

impl Child {
    fn start(program: &Program, request: &Request) -> Result<Self> {
        let (sender, reports) = channel();
        let (bell, rope) = UnixStream::pair()?;
        rope.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        let running = spawn::start(program, request, Limits::default(), move |report| {
            // Both fail only when nobody waits any more; a full bell rings already.
            let _ = sender.send(report);
            let _ = std::io::Write::write(&mut &rope, b".");
        })?;
        Ok(Self { running, reports, bell })
    }

    /// Waits for its end, which it is helped to when its time is up. An interrupt ends it, too.
    fn wait(
        self,
        timeout: Duration,
        name: &str,
        said: &mut Vec<Note>,
    ) -> Result<(Ending, Option<Stop>)> {
        let mut deadline = Deadline::after(timeout);
        let (mut stop, mut has_finished, mut is_killed) = (None, false, false);
        loop {
            let rung = match wait::readable([self.bell.as_fd()], deadline) {
                Ok([rung]) => rung,
                Err(error) => {
                    self.end_now();
                    return Err(error);
                }
            };
            if !rung {
                if is_killed {
                    let message = format!("the process of `{name}` is still there after SIGKILL");
                    return Err(Error::new(ErrorKind::TestError, message));
                }
                self.running.kill();
                is_killed = true;
                stop = Some(if has_finished { Stop::Lingered } else { Stop::Timeout(timeout) });
                deadline = Deadline::after(GRACE);
                continue;
            }
            // Before looking, so that nothing that comes meanwhile is missed.
            let _ = std::io::Read::read(&mut &self.bell, &mut [0; 64]);
            for report in self.reports.try_iter() {
                match report {
                    Report::Ended(ending) => return Ok((*ending, stop)),
                    Report::Event(ChildEvent::Note { note }) => said.push(within(name, note)),
                    Report::Event(ChildEvent::Perturbed { what, .. }) => {
                        said.push(within(name, Note::Log { message: what }));
                    }
                    Report::Event(_) => {}
                    Report::Finished => {
                        has_finished = true;
                        deadline = Deadline::after(GRACE);
                    }
                    Report::Breached => {
                        self.running.kill();
                        is_killed = true;
                        stop.get_or_insert(Stop::Breached);
                        deadline = Deadline::after(GRACE);
                    }
                }
            }
        }
    }
}

impl Child {
    /// Kills it, and waits until it is gone with all that it has started: what comes next is the
    /// end of the machine that it works on. That is no wait that an interrupt may end.
    fn end_now(&self) {
        self.running.kill();
        while let Ok(report) = self.reports.recv_timeout(GRACE) {
            if matches!(report, Report::Ended(_)) {
                return;
            }
        }
    }
}

/// The note with a word on who said it: what a maker says is nothing that the test has said.
fn within(name: &str, note: Note) -> Note {
    match note {
        Note::Log { message } | Note::Warning { message } => {
            Note::Log { message: format!("{name}: {message}") }
        }
        Note::KeyValue { key, value } => Note::Log { message: format!("{name}: {key} = {value}") },
    }
}
