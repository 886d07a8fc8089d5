//! The lines at the bottom of a terminal that change: what runs, and how far the run is.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::paint::Paint;
use super::summary;
use crate::event::{Counts, Phase, TestStarted};
use crate::report::text::{duration, for_terminal, one_line};

/// Lines that change. Without a terminal there are none, and everything here does nothing.
pub(super) struct Live {
    lines: MultiProgress,
    /// Where they are.
    target: Box<dyn Fn() -> ProgressDrawTarget + Send>,
    total: ProgressBar,
    running: BTreeMap<u32, Running>,
    paint: Paint,
}

struct Running {
    name: String,
    /// Where there is room for a line.
    bar: Option<ProgressBar>,
}

impl Live {
    /// How many running tests have a line; more of them are a number in the last line.
    pub(super) const MOST: usize = 12;

    /// Lines below what is written to standard output.
    pub(super) fn new(
        target: impl Fn() -> ProgressDrawTarget + Send + 'static,
        paint: Paint,
    ) -> Self {
        let lines = MultiProgress::with_draw_target(target());
        // What is drawn again is written over what was there, and never away for a moment.
        lines.set_move_cursor(true);
        let total = lines.add(ProgressBar::new(0));
        total.set_style(style("  [{pos}/{len}] {elapsed} {wide_msg}"));
        Self { lines, target: Box::new(target), total, running: BTreeMap::new(), paint }
    }

    /// Does something while the lines are away.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.lines.suspend(write)
    }

    /// Takes the lines away until they are shown again; what they tell goes on.
    pub(super) fn hush(&self) {
        // A terminal that cannot be cleared is not worth a word in the results.
        let _: io::Result<()> = self.lines.clear();
        self.lines.set_draw_target(ProgressDrawTarget::hidden());
    }

    pub(super) fn show(&self) {
        self.lines.set_draw_target((self.target)());
    }

    pub(super) fn run_started(&self, planned: usize) {
        self.total.set_length(planned as u64);
        tick(&self.total);
    }

    pub(super) fn test_started(&mut self, started: &TestStarted, name: &str) {
        let shown = self.running.values().filter(|running| running.bar.is_some()).count();
        let bar = (shown < Self::MOST).then(|| {
            let bar = self.lines.insert_before(&self.total, ProgressBar::new_spinner());
            bar.set_style(style("  {spinner} {elapsed:>4} {wide_msg}"));
            tick(&bar);
            bar
        });
        let mut name = for_terminal(&one_line(name));
        if started.attempt > 1 {
            name = format!("{name} (try {})", started.attempt);
        }
        let running = Running { name, bar };
        running.tell("");
        self.running.insert(started.test, running);
    }

    pub(super) fn phase(&self, test: u32, phase: Phase) {
        let doing = match phase {
            Phase::Prepare => "preparing",
            Phase::Run => "",
            Phase::Clean => "cleaning up",
        };
        self.tell(test, doing);
    }

    pub(super) fn slow(&self, test: u32, phase: Phase, waiting_for: &str) {
        self.tell(test, &waits(phase, waiting_for));
    }

    pub(super) fn test_finished(&mut self, test: u32) {
        if let Some(Running { bar: Some(bar), .. }) = self.running.remove(&test) {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
    }

    /// How far the run is after `now` milliseconds.
    pub(super) fn progress(&self, counts: Counts, planned: usize, now: u64) {
        self.total.set_position(counts.total() as u64);
        let mut parts = summary::parts(counts, self.paint);
        let hidden = self.running.values().filter(|running| running.bar.is_none()).count();
        if hidden > 0 {
            parts.push(format!("{hidden} more running"));
        }
        parts.extend(left(counts.total(), planned, now).map(|ms| {
            let end = jiff::Zoned::now().saturating_add(jiff::SignedDuration::from_millis(
                i64::try_from(ms).unwrap_or(i64::MAX),
            ));
            format!("about {} left, until {}", roughly(ms), end.strftime("%H:%M"))
        }));
        self.total.set_message(parts.join(", "));
    }

    /// Takes the lines away.
    pub(super) fn close(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            running.bar.iter().for_each(ProgressBar::finish_and_clear);
        }
        self.total.finish_and_clear();
        // A terminal that cannot be cleared is not worth a word in the results.
        let _: io::Result<()> = self.lines.clear();
    }

    fn tell(&self, test: u32, doing: &str) {
        if let Some(running) = self.running.get(&test) {
            running.tell(doing);
        }
    }
}

impl Running {
    fn tell(&self, doing: &str) {
        let Some(bar) = &self.bar else { return };
        let colon = if doing.is_empty() { "" } else { ": " };
        bar.set_message(format!("{}{colon}{}", self.name, for_terminal(&one_line(doing))));
    }
}

/// `waiting for a login`, with the phase if that is not the usual one.
pub(super) fn waits(phase: Phase, waiting_for: &str) -> String {
    let doing = match phase {
        Phase::Prepare => "preparing: ",
        Phase::Run => "",
        Phase::Clean => "cleaning up: ",
    };
    if waiting_for.is_empty() {
        return format!("{doing}it has not said what it waits for");
    }
    // Who logs in, or boots, need not be said to wait for that.
    let acts = waiting_for.split(' ').next().is_some_and(|word| word.ends_with("ing"));
    let verb = if acts { "" } else { "waiting for " };
    format!("{doing}{verb}{waiting_for}")
}

/// How many milliseconds the rest of a run takes, if it takes as long for each test as so far.
fn left(done: usize, planned: usize, now: u64) -> Option<u64> {
    /// Of fewer tests little can be concluded.
    const ENOUGH: usize = 3;
    let rest = planned.checked_sub(done).filter(|rest| *rest > 0 && done >= ENOUGH)?;
    Some(now * rest as u64 / done as u64)
}

/// A time that is guessed is not told to the hundredth of a second.
fn roughly(milliseconds: u64) -> String {
    duration(milliseconds.div_ceil(1000) * 1000).replace(".00", "")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn tick(bar: &ProgressBar) {
    bar.enable_steady_tick(Duration::from_millis(120));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_guessed_from_what_was() {
        assert_eq!(left(2, 10, 1000), None);
        assert_eq!(left(4, 10, 1000), Some(1500));
        assert_eq!(left(10, 10, 1000), None);
        assert_eq!(left(11, 10, 1000), None);
        assert_eq!(roughly(61_200), "1 min 02 s");
        assert_eq!(roughly(1100), "2 s");
    }
}
