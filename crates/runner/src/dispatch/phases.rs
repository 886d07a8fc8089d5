//! From one phase of a test to the next.

use kvmtest::guest::sign::Action;
use kvmtest::test::Note;
use kvmtest::{Error, ErrorKind};

use super::current::{self, PhaseState};
use super::happening::Judged;
use super::worker::{DeskState, Order};
use super::{Dispatcher, Happening, error_text, place, rules};
use crate::cause::Case;
use crate::child::protocol::{ChildEvent, Finished, Request, VERSION};
use crate::child::spawn::{self, Report, Running};
use crate::child::verdict::{Stop, and_more, judge};
use crate::clock::milliseconds;
use crate::event::{Phase, What};
use crate::outcome::Outcome;
use crate::watch::{self, Finding};

/// More than this nobody reads of what something waits for.
const DOING: usize = 300;

impl Dispatcher<'_> {
    pub(super) fn begin(&mut self, desk: usize, phase: Phase, running: Option<Running>) {
        let now = self.reports.milliseconds();
        let Some(current) = &mut self.desks[desk].current else { return };
        current.begin(phase, running, now);
        let test = current.test.number;
        self.reports.tell(What::PhaseStarted { test, phase });
    }

    fn end_phase(&mut self, desk: usize, error: Option<String>) -> Option<PhaseState> {
        let current = self.desks[desk].current.as_mut()?;
        let test = current.test.number;
        let ended = current.end_phase()?;
        let duration_ms = self.reports.milliseconds().saturating_sub(ended.started);
        self.reports.tell(What::PhaseEnded { test, phase: ended.phase, duration_ms, error });
        Some(ended)
    }

    pub(super) fn prepared(&mut self, desk: usize, result: kvmtest::Result<()>) {
        let Some(ended) = self.end_phase(desk, error_text(&result)) else { return };
        // The interrupt has done its work: cleaning up has to be able to wait.
        self.desks[desk].interrupt.clear();
        match result {
            Err(error) => {
                let verdict = late(&ended, &error).unwrap_or_else(|| {
                    let outcome = Outcome::of_preparation(error.kind());
                    Finished::of_error(outcome, &error).within("preparing")
                });
                self.clean(desk, verdict, Phase::Prepare, false);
            }
            Ok(()) => match &self.stopping {
                Some(stopping) if stopping.ends_tests() => {
                    let verdict = Finished::new(Outcome::Interrupted, stopping.words());
                    self.clean(desk, verdict, Phase::Prepare, false);
                }
                _ => self.start_child(desk),
            },
        }
    }

    fn start_child(&mut self, desk: usize) {
        let sender = self.sender.clone();
        let Some(current) = &mut self.desks[desk].current else { return };
        let test = current.test.number;
        let request = Request {
            version: VERSION,
            parent: std::process::id(),
            subtest: current.test.subtest.clone(),
            identity: current.identity(),
            env: current.places.env.clone(),
            params: current.test.params.clone(),
        };
        let listener = self.sender.clone();
        let places = &current.places;
        let watched =
            watch::start(&places.env, &places.results, &current.test.params, move |finding| {
                let finding = finding.clone();
                let _ = listener.send(Happening::Found { desk, test, finding });
            });
        match watched {
            Ok(watcher) => current.watcher = Some(watcher),
            Err(error) => {
                let verdict = Finished::of_error(Outcome::of_preparation(error.kind()), &error);
                self.clean(desk, verdict.within("watching"), Phase::Prepare, false);
                return;
            }
        }
        let memory = current.limits.as_ref().and_then(|limits| limits.memory);
        let limits = spawn::Limits { memory, ..self.settings.limits };
        let started = match &current.test.program {
            Ok(program) => spawn::start(program, &request, limits, move |report| {
                // Nobody listens any more: the run was left.
                let _ = sender.send(Happening::Child { desk, test, report });
            })
            .map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        };
        match started {
            Ok(running) => self.begin(desk, Phase::Run, Some(running)),
            Err(why) => {
                self.clean(desk, Finished::new(Outcome::Error, why), Phase::Run, false);
            }
        }
    }

    /// Something was found on a machine: it is told, and ends the subtest if that is what it does.
    pub(super) fn found(&mut self, desk: usize, finding: &Finding) {
        let Some(current) = &mut self.desks[desk].current else { return };
        let test = current.test.number;
        let message = finding.message.clone();
        let note = if finding.action == Action::Fail {
            if let Some(state) = &mut current.phase {
                state.stop(Stop::Found, &self.settings);
            }
            Note::Log { message }
        } else {
            Note::Warning { message }
        };
        self.note(desk, test, note);
    }

    pub(super) fn child_reported(&mut self, desk: usize, report: Report) {
        let Some(current) = &mut self.desks[desk].current else { return };
        let Some(state) = &mut current.phase else { return };
        let test = current.test.number;
        match report {
            Report::Event(ChildEvent::Note { note }) => self.note(desk, test, note),
            Report::Event(ChildEvent::Perturbed { kind, what }) => {
                self.reports.tell(What::Perturbed { test, kind, what });
            }
            Report::Event(ChildEvent::Doing { what }) => self.note_doing(desk, &what),
            Report::Event(ChildEvent::Started { .. } | ChildEvent::Finished(_)) => {}
            Report::Finished => state.expect_end(self.settings.grace),
            Report::Breached => {
                state.stop(Stop::Breached, &self.settings);
            }
            Report::Ended(ending) => {
                let stop = state.stop;
                let mut verdict = judge(*ending, stop);
                if let Some(Stop::Timeout(_)) = stop {
                    verdict.message.push_str(&and_more(state.put_off()));
                }
                verdict.location = verdict.location.map(|place| {
                    let working = place::working_directory();
                    place::short(&place, working.as_deref(), &self.settings.sources)
                });
                if let Some(limits) = &current.limits {
                    limits.name_memory(&mut verdict);
                }
                let error = verdict.outcome.is_failure().then(|| verdict.message.clone());
                self.end_phase(desk, error);
                self.clean(desk, verdict, Phase::Run, stop == Some(Stop::Found));
            }
        }
    }

    pub(super) fn note_doing(&mut self, desk: usize, what: &str) {
        let current = self.desks[desk].current.as_mut();
        if let Some(state) = current.and_then(|current| current.phase.as_mut()) {
            state.doing = what.chars().take(DOING).collect();
        }
    }

    /// Notes how the test ended in `phase`, and has it judged and cleaned up after. `stopped`: for
    /// what was found on a machine.
    fn clean(&mut self, desk: usize, verdict: Finished, phase: Phase, stopped: bool) {
        let Some(current) = &mut self.desks[desk].current else { return };
        current.verdict = Some(verdict.clone());
        let watcher = current.watcher.take();
        let case = Box::new(Case { verdict, phase, stopped, watcher });
        let again = rules(&self.settings, 0).tries_again(current.attempt);
        let is_last = !again || self.stopping.is_some();
        let order = Order::Clean(current.test.clone(), current.places.clone(), case, is_last);
        self.begin(desk, Phase::Clean, None);
        self.desks[desk].order(order);
    }

    pub(super) fn judged(&mut self, desk: usize, judged: Option<Judged>) {
        let Some(current) = &mut self.desks[desk].current else { return };
        let Some(Judged { judgement, held }) = judged else { return };
        current.verdict = Some(judgement.verdict.clone());
        current.judgement = Some(judgement);
        current.held = held;
    }

    pub(super) fn cleaned(&mut self, desk: usize, result: kvmtest::Result<Vec<String>>) {
        let ended = self.end_phase(desk, error_text(&result));
        self.desks[desk].interrupt.clear();
        let Some(mut current) = self.desks[desk].current.take() else { return };
        match result {
            Ok(warnings) => {
                for message in warnings {
                    current.warned = true;
                    let note = Note::Warning { message };
                    self.reports.tell(What::Note { test: current.test.number, note });
                }
            }
            Err(error) => {
                let late = ended.as_ref().and_then(|ended| late(ended, &error));
                current.clean_up_failed(late.as_ref(), &error);
            }
        }
        self.finish(current);
        self.assign();
    }

    pub(super) fn check_deadlines(&mut self) {
        self.check_run_time();
        for desk in 0..self.desks.len() {
            self.check_phase(desk);
            self.check_leaving(desk);
        }
    }

    fn check_phase(&mut self, desk: usize) {
        let Some(current) = &mut self.desks[desk].current else { return };
        let (Some(state), Some(limits)) = (&mut current.phase, &current.limits) else { return };
        if state.is_paused() {
            return;
        }
        let test = current.test.number;
        if let Some(elapsed) = state.slow.due() {
            let (phase, waiting_for) = (state.phase, state.doing.clone());
            let after_ms = milliseconds(elapsed);
            self.reports.tell(What::Slow { test, phase, after_ms, waiting_for });
        }
        match state.check(limits.timeout(state.phase), &self.settings) {
            current::Action::Nothing => {}
            current::Action::Interrupt => self.desks[desk].interrupt.request(),
            current::Action::GiveUp => self.give_up(desk),
        }
    }

    /// Nobody comes back from what goes on there.
    fn give_up(&mut self, desk: usize) {
        let Some(current) = &self.desks[desk].current else { return };
        let Some(state) = &current.phase else { return };
        if state.running.is_some() {
            let message = "its process is still there after SIGKILL";
            self.end_phase(desk, Some(message.into()));
            self.clean(desk, Finished::new(Outcome::Error, message), Phase::Run, false);
            return;
        }
        let doing = phase_words(state.phase);
        let message = match state.stop {
            Some(Stop::Timeout(limit)) => {
                format!("{}, nor when interrupted", too_long(state.phase, limit))
            }
            _ => format!("{doing} did not end when interrupted"),
        };
        self.end_phase(desk, Some(message.clone()));
        self.remark(format!("worker {} is given up: {message}", desk + 1));
        // Its thread may hang for ever; nobody waits for it.
        self.desks[desk].state = DeskState::Closed;
        let Some(mut current) = self.desks[desk].current.take() else { return };
        let failed_before =
            current.verdict.as_ref().is_some_and(|verdict| verdict.outcome.is_failure());
        let hung = Finished {
            kind: Some("harness-hung".into()),
            ..Finished::new(Outcome::Error, message)
        };
        if failed_before {
            let error = Error::new(ErrorKind::TestError, hung.message.clone());
            current.clean_up_failed(Some(&hung), &error);
        } else {
            current.verdict = Some(hung);
        }
        self.finish(current);
        self.assign();
    }
}

/// The verdict on a phase in this process whose time was up.
fn late(ended: &PhaseState, error: &Error) -> Option<Finished> {
    let stop = ended.stop.filter(|_| error.kind() == ErrorKind::Interrupted)?;
    let (outcome, message) = match stop {
        Stop::Timeout(limit) => {
            let more = and_more(ended.put_off());
            let message = format!("{}{}", too_long(ended.phase, limit), more);
            (Outcome::Error, message)
        }
        Stop::TimeUp(..) => (Outcome::Interrupted, stop.to_string()),
        _ => return None,
    };
    let kind = matches!(stop, Stop::Timeout(_)).then(|| "phase-timeout".to_owned());
    Some(
        Finished { kind, ..Finished::of_error(outcome, error) }
            .saying(message)
            .within(phase_words(ended.phase)),
    )
}

fn too_long(phase: Phase, limit: std::time::Duration) -> String {
    let key = match phase {
        Phase::Prepare => "prepare_timeout",
        Phase::Run => "test_timeout",
        Phase::Clean => "clean_timeout",
    };
    format!("{} did not end within {limit:?} (`{key}`)", phase_words(phase))
}

fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "preparing",
        Phase::Run => "the test",
        Phase::Clean => "cleaning up",
    }
}
