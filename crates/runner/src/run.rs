//! The command `run`: from what was typed to an exit code.

use std::io::Write;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Result, Subtest};

use crate::child::Program;
use crate::clock::Clock;
use crate::dispatch::{Dispatcher, End, Happening, Settings, Worker};
use crate::event::{Host, RunStarted, VERSION, What};
use crate::exit_code;
use crate::history::{History, Recorder};
use crate::jobs::{Jobs, capacity_of_host};
use crate::known;
use crate::plan::{
    self, Arranged, Arrangement, Choice, Code, Fact, Known, KnownSubtest, Plan, PlannedTest,
    Shipped, add_folder, arrange,
};
use crate::python;
use crate::report::{Console, ConsoleOptions, Documents, EventLog, Fold, Json, Reports, Results};

/// What the program brings along.
pub struct House<'a> {
    /// The program and its version: `kvmtest 0.1.0`.
    pub program: &'a str,
    /// The subtests that are compiled in.
    pub table: &'a [Subtest],
    /// The folder of their crate, for a reader to find their files in.
    pub folder: &'a Utf8Path,
    /// The subtests in Python that ship: their names and texts.
    pub python: &'a [(&'static str, &'static str)],
    /// The folder of their files, for a reader.
    pub python_folder: &'a Utf8Path,
    /// What runs the compiled ones: this binary, with its hidden subcommand.
    pub child: Program,
    /// The configuration that ships.
    pub shipped: &'a dyn Shipped,
}

/// What a user asked for.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Which variants.
    pub choice: Choice,
    /// Folders with more subtests.
    pub subtests: Vec<Utf8PathBuf>,
    /// The directory below which the run's own is made.
    pub results: Utf8PathBuf,
    /// The command line, for the record.
    pub argv: Vec<String>,
    /// How the terminal is written to.
    pub console: ConsoleOptions,
    /// What of the variants is run, and in which order.
    pub arrangement: Arrangement,
    /// The file of known failures that is about all tests.
    pub known_failures: Option<Utf8PathBuf>,
    /// How many tests run at one time.
    pub jobs: Jobs,
}

impl House<'_> {
    /// Every subtest that can be run: those compiled in, and those in `folders`.
    pub fn known(&self, folders: &[Utf8PathBuf]) -> Result<Known> {
        let mut known = Known::new(self.table, self.folder, self.child.clone());
        for (name, text) in self.python {
            known.add(KnownSubtest {
                name: (*name).to_owned(),
                file: self.python_folder.join(format!("{name}.py")).into_string(),
                doc: python::doc(text).unwrap_or_default(),
                code: Code::ShippedPython(text),
            })?;
        }
        let mut seen = Vec::new();
        for folder in folders {
            let real = folder.canonicalize_utf8().unwrap_or_else(|_| folder.clone());
            if seen.contains(&real) {
                continue;
            }
            seen.push(real);
            for slip in add_folder(&mut known, folder)? {
                // Where nobody reads it, nothing is lost.
                let _ = writeln!(std::io::stderr(), "{slip}");
            }
        }
        Ok(known)
    }

    /// Runs what `order` asks for; returns the exit code of the program.
    ///
    /// `workers` is called once it is clear that there is something to run and that its results
    /// can be written; it makes as many as it is told. What keeps the run from starting goes to standard error, all else to
    /// standard output.
    pub fn run(
        &self,
        order: Order,
        settings: Settings,
        workers: impl FnOnce(&Plan, usize) -> Result<Vec<Worker>>,
    ) -> u8 {
        match self.try_run(order, settings, workers) {
            Ok(code) => code,
            Err(Stopped { code, message }) => {
                // Where even this cannot be said, the exit code has to do.
                let _ = writeln!(std::io::stderr(), "{message}");
                code
            }
        }
    }

    fn try_run(
        &self,
        order: Order,
        mut settings: Settings,
        workers: impl FnOnce(&Plan, usize) -> Result<Vec<Worker>>,
    ) -> Result<u8, Stopped> {
        let (arranged, subtests) = self.arrange(&order)?;
        let perturb = order.arrangement.perturb.map(|order| order.to_string());
        let host = capacity_of_host();
        let jobs = order.jobs.workers(&arranged.plan.tests, host);
        let Arranged { plan, set, remarks, .. } = arranged.for_workers(jobs);
        settings.known = self.expected(&order, &plan.tests, &subtests)?;
        settings.run_timeout = match settings.run_timeout {
            Some(timeout) => Some(timeout),
            None => job_timeout(&plan.tests)?,
        };
        settings.sources = self.sources(&order.subtests);
        settings.capacity = order.jobs.capacity(jobs, host);
        let results = Results::create(&order.results)?;
        let heard = Recorder::default();
        let mut reports = Reports::new(Self::folds(&results, order.console, &heard)?);
        let workers = workers(&plan, jobs)?;
        reports.tell(What::RunStarted(RunStarted {
            version: VERSION,
            program: self.program.to_owned(),
            host: facts(),
            argv: order.argv,
            results: results.dir().to_owned(),
            planned: plan.tests.len(),
            set,
            perturb,
            left_out: plan.left_out,
            sources: settings.sources.clone(),
        }));
        reports.tell(What::Planned { tests: names(&plan.tests) });
        for message in remarks {
            reports.tell(What::Remark { message });
        }
        let end = dispatch(plan.tests, workers, settings, &results, &mut reports)?;
        keep(&heard, &order.results);
        if let Some(lost) = reports.lost() {
            // The remark about it may have gone where nobody reads it.
            let _ = writeln!(std::io::stderr(), "the results are incomplete: {lost}");
        }
        Ok(code(end, reports.complete()))
    }

    /// The tests that [`run`](Self::run) would run, in its order; or the exit code of the program,
    /// and then it has been said why.
    pub fn list(&self, order: &Order) -> Result<Vec<Fact>, u8> {
        match self.arrange(order) {
            Ok((arranged, subtests)) => {
                if let Err(Stopped { code, message }) =
                    self.expected(order, &arranged.plan.tests, &subtests)
                {
                    let _ = writeln!(std::io::stderr(), "{message}");
                    return Err(code);
                }
                let jobs = order.jobs.workers(&arranged.plan.tests, capacity_of_host());
                let arranged = arranged.for_workers(jobs);
                for remark in &arranged.remarks {
                    let _ = writeln!(std::io::stderr(), "{remark}");
                }
                Ok(plan::facts(&arranged.plan.tests))
            }
            Err(Stopped { code, message }) => {
                let _ = writeln!(std::io::stderr(), "{message}");
                Err(code)
            }
        }
    }

    fn arrange(&self, order: &Order) -> Result<(Arranged, Known), Stopped> {
        let known = self.known(&order.subtests)?;
        let color = order.console.color;
        let results = &order.results;
        let arranged =
            arrange(&order.choice, &order.arrangement, results, self.shipped, &known).map_err(
                |refusal| Stopped { code: refusal.exit_code(), message: refusal.render(color) },
            )?;
        for warning in &arranged.warnings {
            let _ = writeln!(std::io::stderr(), "{}", warning.render(color));
        }
        Ok((arranged, known))
    }

    /// The failures that are expected. An entry that no test of the whole configuration can ever
    /// meet is an error: it was meant for one.
    fn expected(
        &self,
        order: &Order,
        tests: &[PlannedTest],
        subtests: &Known,
    ) -> Result<known::Known, Stopped> {
        let file = order.known_failures.as_deref();
        let expected = known::Known::read(file, tests, Clock::today())?;
        let idle = expected.idle();
        if idle.is_empty() {
            return Ok(expected);
        }
        let filters: Vec<&str> = idle.iter().map(|(filter, _)| *filter).collect();
        let nowhere =
            plan::nowhere(&order.choice, &filters, self.shipped, subtests).map_err(|refusal| {
                Stopped { code: refusal.exit_code(), message: refusal.render(false) }
            })?;
        let wrong: Vec<String> = idle
            .iter()
            .filter(|(filter, _)| nowhere.contains(filter))
            .map(|(filter, place)| {
                format!(
                    "{place}: no test of the configuration matches `{filter}`: mend the filter, or \
                     remove the entry (`kvmtest list` shows what there is)"
                )
            })
            .collect();
        match wrong.as_slice() {
            [] => Ok(expected),
            _ => Err(Stopped { code: exit_code::SETUP_IMPOSSIBLE, message: wrong.join("\n") }),
        }
    }

    /// The folders that subtests come from, for who tells of their files, or looks for them later
    /// from elsewhere.
    fn sources(&self, folders: &[Utf8PathBuf]) -> Vec<Utf8PathBuf> {
        // As the compiler saw them, where they still are.
        let absolute = |folder: &Utf8Path| {
            folder.canonicalize_utf8().ok().or_else(|| camino::absolute_utf8(folder).ok())
        };
        let folders = folders.iter().map(Utf8PathBuf::as_path);
        std::iter::once(self.folder).chain(folders).filter_map(absolute).collect()
    }

    fn folds(
        results: &Results,
        console: ConsoleOptions,
        heard: &Recorder,
    ) -> Result<Vec<Box<dyn Fold>>> {
        let dir = results.dir();
        // The events first: what the other reports say can be made again from them.
        Ok(vec![
            Box::new(EventLog::create(dir)?),
            Box::new(Json::new(dir)),
            Box::new(Documents::new(dir)),
            Box::new(heard.clone()),
            Box::new(Console::new(std::io::stdout(), console)),
        ])
    }
}

/// The full names of tests, in the order of their numbers.
fn names(tests: &[PlannedTest]) -> Vec<String> {
    let mut tests: Vec<&PlannedTest> = tests.iter().collect();
    tests.sort_by_key(|test| test.number);
    tests.into_iter().map(|test| test.name.clone()).collect()
}

/// Adds the run to the history. The events have all of it, so that nothing is lost where that
/// fails.
fn keep(heard: &Recorder, results: &Utf8Path) {
    let Some(run) = heard.run() else { return };
    if let Err(error) = History::beside(results).add(&run) {
        let _ = writeln!(std::io::stderr(), "the run is not in the history: {error}");
    }
}

/// Why a run never started.
struct Stopped {
    code: u8,
    message: String,
}

impl From<kvmtest::Error> for Stopped {
    fn from(error: kvmtest::Error) -> Self {
        let code = match error.kind() {
            kvmtest::ErrorKind::Interrupted => exit_code::INTERRUPTED,
            _ => exit_code::SETUP_IMPOSSIBLE,
        };
        Self { code, message: error.to_string() }
    }
}

fn dispatch(
    tests: Vec<PlannedTest>,
    workers: Vec<Worker>,
    settings: Settings,
    results: &Results,
    reports: &mut Reports,
) -> Result<End> {
    let dispatcher = Dispatcher::new(settings, results, reports);
    let sender = dispatcher.sender();
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ])?;
    let handle = signals.handle();
    let listener = std::thread::spawn(move || {
        for _ in &mut signals {
            if sender.send(Happening::Signal).is_err() {
                return;
            }
        }
    });
    let end = dispatcher.run(tests, workers);
    handle.close();
    // It panics nowhere, and has nothing to say.
    let _ = listener.join();
    Ok(end)
}

fn code(end: End, complete: bool) -> u8 {
    if end.interrupted {
        exit_code::INTERRUPTED
    } else if end.counts.failures() > 0 || end.unmet > 0 {
        exit_code::SOME_FAILED
    } else if !complete {
        exit_code::RESULTS_INCOMPLETE
    } else {
        exit_code::ALL_PASSED
    }
}

/// The time of the whole run, as the tests say it: the longest, where they differ.
fn job_timeout(tests: &[PlannedTest]) -> Result<Option<Duration>> {
    let mut longest = None;
    for test in tests {
        if test.params.find_nonempty("job_timeout").is_some() {
            let timeout = test.params.get_duration("job_timeout")?;
            if timeout.is_zero() {
                return Err(test
                    .params
                    .wrong("job_timeout", "longer than 0, or empty for no limit"));
            }
            longest = longest.max(Some(timeout));
        }
    }
    Ok(longest)
}

fn facts() -> Host {
    let uname = rustix::system::uname();
    Host {
        name: uname.nodename().to_string_lossy().into_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        machine: uname.machine().to_string_lossy().into_owned(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Counts;

    #[test]
    fn the_worst_is_what_the_exit_code_says() {
        let check = |counts, interrupted, complete, expect| {
            let end = End { counts, interrupted, unmet: 0 };
            assert_eq!(code(end, complete), expect);
        };
        let passed = Counts { pass: 1, warn: 1, skip: 1, cancel: 1, ..Counts::default() };
        check(passed, false, true, exit_code::ALL_PASSED);
        check(passed, false, false, exit_code::RESULTS_INCOMPLETE);
        check(Counts { fail: 1, ..passed }, false, false, exit_code::SOME_FAILED);
        check(Counts { error: 1, ..passed }, false, true, exit_code::SOME_FAILED);
        check(passed, true, true, exit_code::INTERRUPTED);
        let unmet = End { counts: passed, interrupted: false, unmet: 1 };
        assert_eq!(code(unmet, true), exit_code::SOME_FAILED);
    }
}
