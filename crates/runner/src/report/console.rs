//! What a person sees while a run goes on.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use camino::Utf8PathBuf;
use indicatif::{ProgressBar, ProgressStyle};

use super::Fold;
use super::record::{Record, Records};
use super::text::{duration, for_terminal};
use crate::event::{Counts, Event, Phase, What};
use crate::outcome::Outcome;

/// How the console is written to.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleOptions {
    /// Whether outcomes are coloured.
    pub color: bool,
    /// Whether a line that changes shows what runs.
    pub live: bool,
}

impl ConsoleOptions {
    /// What fits the terminal that is there, if one is; `NO_COLOR` is obeyed.
    pub fn detect() -> Self {
        let terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            color: terminal && !no_color && !dumb,
            live: terminal && io::stderr().is_terminal() && !dumb,
        }
    }
}

/// What to do next where a test failed: the machine itself is the best evidence.
const HINT: &str = "to get into a machine that failed, run it again with 'kill_vm_on_error = no': \
                    `kvmtest env` then shows it";

/// Writes a line for each test, and a summary.
pub struct Console<W> {
    out: W,
    options: ConsoleOptions,
    bar: Option<ProgressBar>,
    records: Records,
    results: Utf8PathBuf,
    planned: usize,
    done: usize,
    current: String,
}

impl<W: Write + Send> Console<W> {
    /// Writes to `out`.
    pub fn new(out: W, options: ConsoleOptions) -> Self {
        let bar = options.live.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self {
            out,
            options,
            bar,
            records: Records::default(),
            results: Utf8PathBuf::new(),
            planned: 0,
            done: 0,
            current: String::new(),
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let (out, text) = (&mut self.out, for_lines(text));
        let mut write = || writeln!(out, "{text}").and_then(|()| out.flush());
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        match written {
            // Whoever read this has gone away; no result is lost with them.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn live(&self, phase: Option<Phase>) {
        let Some(bar) = &self.bar else { return };
        let doing = match phase {
            Some(Phase::Prepare) => ": preparing",
            Some(Phase::Clean) => ": cleaning up",
            Some(Phase::Run) | None => "",
        };
        let message =
            format!("[{}/{}] {}{doing}", self.done + 1, self.planned, for_terminal(&self.current));
        bar.set_message(message);
    }

    fn finish_test(&mut self, record: &Record) -> io::Result<()> {
        self.done += 1;
        let Some(finished) = &record.finished else { return Ok(()) };
        let word = self.paint(finished.outcome, &format!("{:<5}", finished.outcome));
        let name = label(record);
        let time = duration(finished.duration_ms);
        self.line(&format!("  {word}  {:<36} {time:>10}", for_terminal(&name)))?;
        for text in explanation(record) {
            for line in for_terminal(&text).lines() {
                self.line(&format!("         {line}"))?;
            }
        }
        if finished.outcome.is_failure() {
            let dir = self.results.join(&record.started.directory);
            let files = if finished.evidence.is_empty() {
                String::new()
            } else {
                format!(" ({})", finished.evidence.join(" "))
            };
            self.line(&format!("         see {}", for_terminal(&format!("{dir}/{files}"))))?;
        }
        Ok(())
    }

    fn summary(&mut self, counts: Counts, duration_ms: u64, interrupted: bool) -> io::Result<()> {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let mut parts = Vec::new();
        for outcome in Outcome::ALL {
            let count = counts.of(outcome);
            if count > 0 {
                parts.push(self.paint(outcome, &format!("{count} {}", word(outcome))));
            }
        }
        if counts.not_run > 0 {
            parts.push(format!("{} not run", counts.not_run));
        }
        let total = counts.total();
        let noun = if total == 1 { "test" } else { "tests" };
        let list = if parts.is_empty() { "nothing ran".to_owned() } else { parts.join(", ") };
        let early = if interrupted { " (interrupted)" } else { "" };
        self.line(&format!("{total} {noun} in {}{early}: {list}", duration(duration_ms)))?;
        let results = for_terminal(self.results.as_str());
        self.line(&format!("results: {results}"))?;
        if counts.of(Outcome::Fail) > 0 {
            self.line(HINT)?;
        }
        Ok(())
    }

    fn paint(&self, outcome: Outcome, text: &str) -> String {
        if !self.options.color {
            return text.to_owned();
        }
        let color = match outcome {
            Outcome::Pass => 32,
            Outcome::Skip | Outcome::Cancel => 36,
            Outcome::Warn => 33,
            Outcome::Fail | Outcome::Error => 31,
            Outcome::Interrupted => 35,
        };
        format!("\x1b[{color}m{text}\x1b[0m")
    }
}

impl<W: Write + Send> Fold for Console<W> {
    fn name(&self) -> &'static str {
        "to the terminal"
    }

    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Some(record) = self.records.take(event) {
            return self.finish_test(&record);
        }
        match &event.what {
            What::RunStarted(started) => {
                self.planned = started.planned;
                self.results.clone_from(&started.results);
                if let Some(bar) = &self.bar {
                    bar.enable_steady_tick(Duration::from_millis(120));
                }
                let noun = if started.planned == 1 { "test" } else { "tests" };
                let set =
                    started.set.iter().map(|set| format!(" of the set `{}`", for_terminal(set)));
                let set: String = set.collect();
                self.line(&format!("running {} {noun}{set}", started.planned))
            }
            What::TestStarted(started) => {
                self.current.clone_from(&started.shortname);
                if let Some(bar) = &self.bar {
                    bar.reset_elapsed();
                }
                self.live(None);
                Ok(())
            }
            What::PhaseStarted { phase, .. } => {
                self.live(Some(*phase));
                Ok(())
            }
            What::Remark { message } => self.line(&for_terminal(message)),
            What::RunFinished { counts, duration_ms, interrupted } => {
                self.summary(*counts, *duration_ms, *interrupted)
            }
            _ => Ok(()),
        }
    }
}

/// The name of a test, with the number of the repetition where there is more than one.
fn label(record: &Record) -> String {
    let started = &record.started;
    let name = if started.shortname.is_empty() { &started.subtest } else { &started.shortname };
    if started.iteration > 1 { format!("{name} ({})", started.iteration) } else { name.clone() }
}

/// What is to be said below the line of a test.
fn explanation(record: &Record) -> Vec<String> {
    /// Lines of what the other side had said; the rest is in the files.
    const OUTPUT: usize = 10;
    let Some(finished) = &record.finished else { return Vec::new() };
    let mut texts = Vec::new();
    if !finished.message.is_empty() {
        texts.push(finished.message.clone());
    }
    if !finished.contexts.is_empty() {
        texts.push(format!("while {}", finished.contexts.join(" --> ")));
    }
    texts.extend(finished.location.iter().map(|place| format!("at {place}")));
    if let (Some(output), true) = (&finished.output, finished.outcome.is_failure()) {
        let lines: Vec<&str> = output.lines().collect();
        let last = &lines[lines.len().saturating_sub(OUTPUT)..];
        texts.extend(last.iter().map(|line| format!("| {line}")));
    }
    texts.extend(record.warnings.iter().map(|warning| format!("warning: {warning}")));
    texts
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "passed",
        Outcome::Skip => "skipped",
        Outcome::Cancel => "cancelled",
        Outcome::Warn => "passed with warnings",
        Outcome::Fail => "failed",
        Outcome::Error => "could not be carried out",
        Outcome::Interrupted => "interrupted",
    }
}

/// Blanks at the end of a line help nobody.
fn for_lines(text: &str) -> &str {
    text.trim_end()
}

#[cfg(test)]
mod tests {
    use kvmtest::test::Note;

    use super::*;
    use crate::event::{Host, RunStarted, TestFinished, TestStarted};

    fn finished(test: u32, outcome: Outcome) -> TestFinished {
        TestFinished {
            test,
            outcome,
            cause: None,
            retried: false,
            flaky: false,
            known: None,
            stalled_ms: 0,
            kind: None,
            message: String::new(),
            contexts: Vec::new(),
            location: None,
            output: None,
            backtrace: None,
            cause_shown_by: String::new(),
            findings: Vec::new(),
            console_tail: Vec::new(),
            session_tail: Vec::new(),
            command_script: None,
            attach: Vec::new(),
            evidence: Vec::new(),
            duration_ms: 4310,
        }
    }

    fn events() -> Vec<What> {
        let started = |test, name: &str| {
            What::TestStarted(TestStarted {
                test,
                name: name.into(),
                shortname: name.into(),
                subtest: name.into(),
                iteration: test.min(2),
                attempt: 1,
                worker: 1,
                directory: format!("00{test}-{name}"),
            })
        };
        vec![
            What::RunStarted(RunStarted {
                version: 1,
                program: "kvmtest".into(),
                host: Host::default(),
                argv: Vec::new(),
                results: "results/now".into(),
                planned: 3,
                set: Some("quick".into()),
                left_out: Vec::new(),
            }),
            started(1, "boot"),
            What::PhaseStarted { test: 1, phase: Phase::Prepare },
            What::TestFinished(finished(1, Outcome::Pass)),
            started(2, "reboot"),
            What::TestFinished(TestFinished {
                message: "no prompt within 5 s\x1b]0;owned\x07".into(),
                contexts: vec!["rebooting vm1".into(), "running `uname`".into()],
                location: Some("src/reboot.rs:17:9".into()),
                output: Some("last words\r\n\x1b[2J".into()),
                cause_shown_by: String::new(),
                findings: Vec::new(),
                console_tail: Vec::new(),
                session_tail: Vec::new(),
                command_script: None,
                attach: Vec::new(),
                evidence: vec!["debug.log".into(), "serial-vm1.log".into()],
                ..finished(2, Outcome::Fail)
            }),
            What::Remark { message: "the disk is full".into() },
            started(3, "shutdown"),
            What::Note { test: 3, note: Note::Warning { message: "it took long".into() } },
            What::TestFinished(finished(3, Outcome::Warn)),
            What::RunFinished {
                counts: Counts { pass: 1, fail: 1, warn: 1, not_run: 2, ..Counts::default() },
                duration_ms: 62_000,
                interrupted: true,
            },
        ]
    }

    fn shown(options: ConsoleOptions) -> String {
        let mut out = Vec::new();
        let mut console = Console::new(&mut out, options);
        for what in events() {
            let at = "2026-01-02T03:04:05Z".parse().expect("a time");
            console.take(&Event { at, ms: 0, what }).expect("written");
        }
        drop(console);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_run_reads_like_this() {
        insta::assert_snapshot!(shown(ConsoleOptions::default()), @r"
        running 3 tests of the set `quick`
          PASS   boot                                     4.31 s
          FAIL   reboot (2)                               4.31 s
                 no prompt within 5 s\u{1b}]0;owned\u{7}
                 while rebooting vm1 --> running `uname`
                 at src/reboot.rs:17:9
                 | last words
                 | \u{1b}[2J
                 see results/now/002-reboot/ (debug.log serial-vm1.log)
        the disk is full
          WARN   shutdown (2)                             4.31 s
                 warning: it took long
        3 tests in 1 min 02 s (interrupted): 1 passed, 1 passed with warnings, 1 failed, 2 not run
        results: results/now
        to get into a machine that failed, run it again with 'kill_vm_on_error = no': `kvmtest env` then shows it
        ");
    }

    #[test]
    fn colour_is_all_that_a_terminal_is_sent() {
        let text = shown(ConsoleOptions { color: true, live: false });
        assert!(text.contains("\x1b[32mPASS \x1b[0m"), "{text:?}");
        let escapes = text.matches('\x1b').count();
        let colours = ["\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"];
        let known: usize = colours.iter().map(|colour| text.matches(colour).count()).sum();
        assert_eq!(escapes, known, "{text:?}");
    }
}
