//! What a person sees while a run goes on.

mod live;
mod options;
mod paint;
mod screen;
mod summary;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeSet;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use indicatif::ProgressDrawTarget;
use kvmtest::test::Note;

pub use options::{ConsoleOptions, Detail};

use super::Fold;
use super::record::{Record, Records};
use super::story::Places;
use super::text::{duration, for_terminal, one_line};
use super::transitions::Transitions;
use crate::event::{Counts, Event, RunStarted, TestFinished, What};
use crate::outcome::Outcome;
use live::Live;
use paint::{Ink, Paint};

/// What to do next where a test failed: the machine itself is the best evidence.
const HINT: &str = "to get into a machine that failed, run it again with `--on-fail keep`";

/// Runs of more tests than fit on a screen end with a list of what failed.
const SCREEN: usize = 10;

/// What is told of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// How it ended, and what is left of it: the rest was told before.
    End,
}

/// Writes a line for each test, more for those that fail, and a summary.
pub struct Console<W> {
    out: W,
    options: ConsoleOptions,
    paint: Paint,
    live: Option<Live>,
    records: Records,
    results: Utf8PathBuf,
    sources: Vec<Utf8PathBuf>,
    planned: usize,
    /// What has ended so far.
    counts: Counts,
    /// A machine of a test that failed was ended that could have been kept.
    lost: bool,
    /// What is said while a person is in a machine, and has the terminal for that.
    held: Option<Vec<String>>,
    /// The tests that failed of which all is told by now but their end.
    told: BTreeSet<u32>,
    /// What machines went through under their tests, if somebody wants that.
    transitions: Option<Transitions>,
    /// A line for each test that failed, for the end.
    failed: Vec<String>,
}

impl<W: Write + Send> Console<W> {
    /// Writes to `out`; the lines that change, if there are any, to standard error.
    pub fn new(out: W, options: ConsoleOptions) -> Self {
        Self::with_target(out, options, screen::stderr)
    }

    fn with_target(
        out: W,
        options: ConsoleOptions,
        target: impl Fn() -> ProgressDrawTarget + Send + 'static,
    ) -> Self {
        let paint = Paint { color: options.color };
        Self {
            out,
            options,
            paint,
            live: options.live.then(|| Live::new(target, paint)),
            records: Records::default(),
            results: Utf8PathBuf::new(),
            sources: Vec::new(),
            planned: 0,
            counts: Counts::default(),
            lost: false,
            held: None,
            told: BTreeSet::new(),
            transitions: None,
            failed: Vec::new(),
        }
    }

    /// No more events come, though the run has not ended: says so, and what was running.
    pub fn unfinished(&mut self, counts: Counts, duration_ms: u64) -> io::Result<()> {
        let running = self.records.running();
        self.end(counts, running, duration_ms, " (unfinished: the events end before the run did)")
    }

    fn run_started(&mut self, started: &RunStarted) -> io::Result<()> {
        self.planned = started.planned;
        self.results.clone_from(&started.results);
        self.sources.clone_from(&started.sources);
        if let Some(live) = &self.live {
            live.run_started(started.planned);
        }
        let noun = if started.planned == 1 { "test" } else { "tests" };
        let set = started.set.iter().map(|set| format!(" of the set `{}`", for_terminal(set)));
        let set: String = set.collect();
        self.transitions = started.perturb.as_ref().map(|_| Transitions::default());
        let perturb = match &started.perturb {
            Some(what) => format!(" under `--perturb {}`", for_terminal(what)),
            None => String::new(),
        };
        self.unless_quiet(&format!("running {} {noun}{set}{perturb}", started.planned))
    }

    fn test_finished(&mut self, record: &Record) -> io::Result<()> {
        if let Some(live) = &mut self.live {
            live.test_finished(record.started.test);
        }
        self.count(record);
        if !record.transitions.is_empty() {
            *self.transitions.get_or_insert_default() += &record.transitions;
        }
        let counts =
            record.outcome() != Outcome::Interrupted && record.is_failure() && !record.is_retried();
        self.lost |=
            counts && record.finished.as_ref().is_some_and(|finished| !finished.ended.is_empty());
        let failed = record.finished.is_none() || (record.is_failure() && !record.is_retried());
        if failed || self.options.detail != Detail::Quiet {
            let what = if self.told.remove(&record.started.test) { Part::End } else { Part::All };
            self.verdict(record, what)?;
        }
        if failed {
            self.failed.push(summary::failure(record, self.paint));
        }
        Ok(())
    }

    fn verdict(&mut self, record: &Record, part: Part) -> io::Result<()> {
        let places = Places { results: &self.results, sources: &self.sources };
        let mut lines = vec![verdict::line(record, self.paint)];
        lines.extend(match part {
            Part::All => verdict::details(record, places, self.paint),
            Part::End => verdict::end(record, places, self.paint),
        });
        self.lines(&lines)
    }

    /// A person is let into a machine: they are told of its test, and then the terminal is theirs.
    fn entered(&mut self, so_far: &TestFinished) -> io::Result<()> {
        if let Some(record) = self.records.open(so_far.test) {
            let record = Record { finished: Some(so_far.clone()), ..record.clone() };
            self.verdict(&record, Part::All)?;
            self.told.insert(so_far.test);
        }
        self.live.iter().for_each(Live::hush);
        self.held = Some(Vec::new());
        Ok(())
    }

    /// The terminal is free again.
    fn left(&mut self) -> io::Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        self.live.iter().for_each(Live::show);
        self.lines(&held)
    }

    fn count(&mut self, record: &Record) {
        let Some(finished) = record.finished.as_ref().filter(|finished| !finished.retried) else {
            return;
        };
        if finished.known.is_some() {
            self.counts.known += 1;
        } else {
            self.counts.add(finished.outcome);
        }
        self.counts.flaky += usize::from(finished.flaky);
    }

    fn note(&mut self, test: u32, note: &Note) -> io::Result<()> {
        if self.options.detail != Detail::Verbose {
            return Ok(());
        }
        let text = match note {
            Note::Log { message } => message.clone(),
            Note::Warning { message } => format!("warning: {message}"),
            Note::KeyValue { key, value } => format!("{key} = {value}"),
        };
        self.aside(test, "note", &text)
    }

    /// A line about a test that is running.
    fn aside(&mut self, test: u32, word: &str, text: &str) -> io::Result<()> {
        let name = self.records.open(test).map(Record::label).unwrap_or_default();
        let mark = self.paint.paint(Ink::Dim, &format!("{word:<5}"));
        let name = for_terminal(&one_line(&name));
        let text = for_terminal(text);
        let lines = text.lines().map(|line| format!("  {mark}  {name}: {line}"));
        self.lines(&lines.collect::<Vec<_>>())
    }

    fn end(
        &mut self,
        counts: Counts,
        running: usize,
        duration_ms: u64,
        early: &str,
    ) -> io::Result<()> {
        self.left()?;
        // Tests whose end is lost, or never came.
        let rest: Vec<Record> = self.records.rest().collect();
        for record in &rest {
            self.test_finished(record)?;
        }
        if let Some(mut live) = self.live.take() {
            live.close();
        }
        let quiet = self.options.detail == Detail::Quiet;
        if !quiet && self.counts.total() > SCREEN && !self.failed.is_empty() {
            let failed = std::mem::take(&mut self.failed);
            self.line("what failed:")?;
            self.lines(&failed)?;
        }
        let transitions = self.transitions.as_ref();
        let last = summary::counts(counts, running, duration_ms, early, transitions, self.paint);
        self.line(&last)?;
        let results = for_terminal(self.results.as_str());
        self.unless_quiet(&format!("results: {results}"))?;
        if self.lost { self.unless_quiet(HINT) } else { Ok(()) }
    }

    fn unless_quiet(&mut self, text: &str) -> io::Result<()> {
        if self.options.detail == Detail::Quiet { Ok(()) } else { self.line(text) }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.lines(&[text.to_owned()])
    }

    /// Writes lines together: the lines that change are taken away for them once.
    fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        if let Some(held) = &mut self.held {
            held.extend_from_slice(lines);
            return Ok(());
        }
        if lines.is_empty() {
            return Ok(());
        }
        // Blanks at the end of a line help nobody.
        let text: String = lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect();
        let out = &mut self.out;
        let mut write = || out.write_all(text.as_bytes()).and_then(|()| out.flush());
        let written = match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        };
        match written {
            // Whoever read this has gone away; no result is lost with them.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

impl<W: Write + Send> Fold for Console<W> {
    fn name(&self) -> &'static str {
        "to the terminal"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Some(record) = self.records.take(event) {
            self.test_finished(&record)?;
        }
        match &event.what {
            What::RunStarted(started) => self.run_started(started)?,
            What::TestStarted(started) => {
                let name = self.records.open(started.test).map(Record::label);
                if let (Some(live), Some(name)) = (&mut self.live, name) {
                    live.test_started(started, &name);
                }
            }
            What::PhaseStarted { test, phase } => {
                if let Some(live) = &self.live {
                    live.phase(*test, *phase);
                }
            }
            What::Note { test, note } => self.note(*test, note)?,
            What::Perturbed { test, what, .. } => {
                self.note(*test, &Note::Log { message: what.clone() })?;
            }
            What::PhaseEnded { test, phase, duration_ms, .. } => {
                if self.options.detail == Detail::Verbose {
                    let text = format!("{} took {}", phase.word(), duration(*duration_ms));
                    self.aside(*test, "phase", &text)?;
                }
            }
            What::Slow { test, phase, after_ms, waiting_for } => match &self.live {
                Some(live) => live.slow(*test, *phase, waiting_for),
                None if self.options.detail == Detail::Quiet => {}
                None => {
                    let waits = live::waits(*phase, waiting_for);
                    let text = format!("{} by now, {waits}", duration(*after_ms));
                    self.aside(*test, "slow", &text)?;
                }
            },
            What::Entered { so_far, .. } => self.entered(so_far)?,
            What::Left { .. } => self.left()?,
            What::Remark { message } => self.line(&for_terminal(message))?,
            What::RunFinished { counts, duration_ms, interrupted } => {
                let early = if *interrupted { " (interrupted)" } else { "" };
                return self.end(*counts, 0, *duration_ms, early);
            }
            What::Planned { .. } | What::TestFinished(_) => {}
        }
        if let Some(live) = &self.live {
            live.progress(self.counts, self.planned, event.ms);
        }
        Ok(())
    }
}
