//! One machine that is watched: its process, the harness's monitor, its console.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use kvmtest::guest::sign::{Action, Entry, Sign, Signs, action, readable};
use kvmtest::monitor::{Activity, Event, QmpMonitor};
use kvmtest::vm::Vm;
use kvmtest::{Deadline, Params, Result};

use super::console::Console;
use super::events::{Meaning, meaning};
use super::finding::Finding;

/// How long QEMU has to greet on the harness's monitor, or it is watched without it.
const GREETING: Duration = Duration::from_secs(2);
/// QEMU has closed its monitors a moment after its end.
const LAST_EVENTS: Duration = Duration::from_millis(300);
/// How long whoever ended a machine has to say so, by forgetting it.
const FORGETTING: Duration = Duration::from_millis(500);

/// One incarnation of a machine.
pub(super) struct Machine {
    vm: Vm,
    params: Params,
    process: Option<OwnedFd>,
    monitor: Option<Listening>,
    console: Option<Console>,
    /// Nothing more is to be said of its end.
    explained: bool,
    /// By when whoever ended it has to say so.
    ended: Option<Deadline>,
}

struct Listening {
    monitor: Arc<QmpMonitor>,
    activity: Activity,
    next: u64,
}

/// What became of a look at a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// All of it was looked at.
    Quiet,
    /// There is more to look at, at once.
    Busy,
    /// Its end is known: there is nothing left to look at.
    Over,
}

impl Machine {
    /// A machine that is watched from now on. `console` is that of what it was before it moved.
    pub(super) fn new(
        vm: Vm,
        params: &Params,
        console: Option<Console>,
        found: &mut Vec<Finding>,
    ) -> Result<Self> {
        let params = params.object_params(vm.name());
        let signs = Signs::of(&params)?;
        let process = vm.process()?;
        let monitor = process.as_ref().and_then(|_| Listening::to(&vm));
        let console = console.or_else(|| {
            let record = vm.record()?;
            Console::open(&record.instance.serial_log(), record.console_offset, signs).ok()
        });
        let mut machine =
            Self { vm, params, process, monitor, console, explained: false, ended: None };
        if machine.process.is_none() {
            machine.ended = Some(Deadline::after(FORGETTING));
        }
        machine.ask_status(found);
        Ok(machine)
    }

    /// Lets what the machine has become go on with the console.
    pub(super) fn give_console(&mut self) -> Option<Console> {
        self.console.take()
    }

    /// What to wait for.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let process = self.process.as_ref().filter(|_| self.ended.is_none());
        process
            .map(AsFd::as_fd)
            .into_iter()
            .chain(self.monitor.as_ref().map(|listening| listening.activity.as_fd()))
            .chain(self.console.as_ref().map(AsFd::as_fd))
            .collect()
    }

    /// When it is to be looked at whatever happens.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.ended
    }

    /// Looks at what is new. `known` says whether the env file still knows it; `last`, that there
    /// will be no other look.
    pub(super) fn look(&mut self, known: bool, last: bool, found: &mut Vec<Finding>) -> State {
        if last {
            self.catch_up();
            if let Some(console) = &mut self.console {
                console.skip();
            }
        }
        let more = self.read_console(found);
        self.hear(found);
        if self.ended.is_none() && self.is_over() {
            if let Some(listening) = &self.monitor {
                listening.monitor.drain(Deadline::after(LAST_EVENTS));
            }
            self.hear(found);
            self.monitor = None;
            self.ended = Some(Deadline::after(FORGETTING));
            return State::Busy;
        }
        if more && !last {
            return State::Busy;
        }
        if !known {
            // Somebody ended it on purpose, and said so.
            self.finish_console(found);
            return State::Over;
        }
        if self.ended.is_some_and(|ended| last || self.explained || ended.expired()) {
            self.finish_console(found);
            self.note_death(found);
            return State::Over;
        }
        if last {
            self.finish_console(found);
        }
        State::Quiet
    }

    /// Lets all that QEMU has told by now be heard: it answers after it.
    fn catch_up(&self) {
        if let (Some(listening), None) = (&self.monitor, self.ended) {
            let ask = |command| {
                listening.monitor.cmd_timeout(command, serde_json::Value::Null, LAST_EVENTS)
            };
            // One that does not answer has told all that it will.
            let _ = ask("query-status");
        }
    }

    fn is_over(&self) -> bool {
        let Some(process) = &self.process else { return true };
        let now = Deadline::after(Duration::ZERO);
        kvmtest::wait::readable([process.as_fd()], now).is_ok_and(|[ended]| ended)
    }

    fn read_console(&mut self, found: &mut Vec<Finding>) -> bool {
        let Some(mut console) = self.console.take() else { return false };
        let more = console.read(|line, entry| self.line(line, entry, found));
        self.console = Some(console);
        more
    }

    fn finish_console(&mut self, found: &mut Vec<Finding>) {
        if let Some(mut console) = self.console.take() {
            console.finish(|line, entry| self.line(line, entry, found));
        }
    }

    fn line(&self, line: &[u8], entry: Option<&Entry>, found: &mut Vec<Finding>) {
        let name = self.vm.name();
        let Some(entry) = entry else {
            let open = found.iter_mut().filter(|it| it.vm == name && it.wants_lines());
            open.for_each(|finding| finding.lines.push(readable(line)));
            return;
        };
        let line = readable(line);
        let message = entry.message(name, &line);
        for finding in found.iter_mut().filter(|it| it.vm == name && it.wants_lines()) {
            finding.lines.push(line.clone());
        }
        match found.iter_mut().find(|it| it.vm == name && it.sign == entry.name) {
            // The machine had told of it already, but only the console says what it was.
            Some(finding) if finding.lines.is_empty() => {
                finding.message = message;
                finding.lines.push(line);
            }
            Some(finding) => finding.count = finding.count.saturating_add(1),
            None => found.push(Finding {
                vm: name.to_owned(),
                sign: entry.name.clone(),
                action: entry.action,
                kind: entry.kind,
                message,
                lines: vec![line],
                count: 1,
            }),
        }
    }

    fn hear(&mut self, found: &mut Vec<Finding>) {
        let Some(listening) = &mut self.monitor else { return };
        for event in listening.events() {
            match meaning(&event, self.vm.expected()) {
                Meaning::Nothing => {}
                Meaning::PowerButton => {
                    // Pressed by a command of one's own.
                    let _ = self.vm.expect_shutdown();
                }
                Meaning::Sign(sign) => self.note(sign, None, found),
                Meaning::Ending => self.explained = true,
                Meaning::EndingBy(sign) => {
                    self.explained = true;
                    self.note(sign, None, found);
                }
            }
        }
    }

    /// What happened before anybody listened is told by the machine's state.
    fn ask_status(&self, found: &mut Vec<Finding>) {
        let Some(listening) = &self.monitor else { return };
        let answer =
            listening.monitor.cmd_timeout("query-status", serde_json::Value::Null, GREETING);
        if answer.is_ok_and(|answer| answer["status"] == "guest-panicked") {
            self.note("panic", None, found);
        }
    }

    fn note_death(&mut self, found: &mut Vec<Finding>) {
        if self.explained {
            return;
        }
        self.explained = true;
        let ending = self.vm.ending().map(|ending| ending.to_string());
        self.note("death", ending, found);
    }

    fn note(&self, sign: &str, detail: Option<String>, found: &mut Vec<Finding>) {
        let Some(sign) = Sign::named(sign) else { return };
        // What cannot be understood of the params was refused before.
        let action = action(&self.params, sign.name, sign.action).unwrap_or(sign.action);
        let name = self.vm.name();
        if let Some(finding) = found.iter_mut().find(|it| it.vm == name && it.sign == sign.name) {
            finding.count = finding.count.saturating_add(u32::from(sign.name != "panic"));
            return;
        }
        if action == Action::Ignore {
            return;
        }
        let message = match detail {
            Some(detail) => format!("the VM `{name}` died: {detail}"),
            None => format!("the guest of the VM `{name}` {}", sign.what),
        };
        found.push(Finding {
            vm: name.to_owned(),
            sign: sign.name.to_owned(),
            action,
            kind: sign.kind,
            message,
            lines: Vec::new(),
            count: 1,
        });
    }
}

impl Listening {
    fn to(vm: &Vm) -> Option<Self> {
        let monitor = vm.monitor_by(Deadline::after(GREETING)).ok()?;
        let next = monitor.events_from(0).1;
        let activity = monitor.activity().ok()?;
        Some(Self { monitor, activity, next })
    }

    fn events(&mut self) -> Vec<Event> {
        self.activity.quiet();
        let (events, next) = self.monitor.events_from(self.next);
        self.next = next;
        events
    }
}
