//! The child's side of the protocol, for subtests in Rust.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use kvmtest::test::Note;
use kvmtest::{Env, Subtest, Test, doing, interrupt, perturb, stall};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, set_parent_process_death_signal};
use serde::Deserialize;

use super::line::line_of;
use super::protocol::{ChildEvent, EVENTS_FD, Finished, Request, VERSION};
use super::{memory, panic, trace};
use crate::exit_code;
use crate::outcome::Outcome;

/// Reads a request, runs the subtest of `table` that it names, says how that ended. To be called
/// from `main`, and its result returned from there.
pub fn serve(table: &[Subtest]) -> ExitCode {
    memory::is_child();
    match take_request() {
        Ok((request, events)) => ExitCode::from(exit_code::of_child(run(table, request, events))),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "cannot serve as a child: {why}");
            ExitCode::from(exit_code::CHILD_BAD_REQUEST)
        }
    }
}

/// The descriptor for events; each is written as one line, by whatever thread.
#[derive(Clone)]
struct Events(Arc<Mutex<File>>);

impl Events {
    fn send(&self, event: &ChildEvent) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        // Nobody listens any more: the test goes on until it is stopped.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line);
    }
}

fn take_request() -> Result<(Request, Events), String> {
    let events = take_descriptor()?;
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).map_err(|error| format!("standard input: {error}"))?;
    // The version first: of another version's request nothing else is known.
    let Version { version } =
        serde_json::from_slice(&text).map_err(|error| format!("no request: {error}"))?;
    if version != VERSION {
        return Err(format!("the request has version {version}, not {VERSION}"));
    }
    let request: Request =
        serde_json::from_slice(&text).map_err(|error| format!("a broken request: {error}"))?;
    die_with(request.parent)?;
    Ok((request, events))
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn take_descriptor() -> Result<Events, String> {
    // SAFETY: the descriptor is only asked about, and not kept.
    let borrowed = unsafe { BorrowedFd::borrow_raw(EVENTS_FD) };
    // Nothing that a subtest starts may write among the events, or hold them open.
    rustix::io::fcntl_setfd(borrowed, rustix::io::FdFlags::CLOEXEC).map_err(
        |_| "descriptor 3 is not open (this command is called by `kvmtest run`, not by hand)",
    )?;
    // SAFETY: it is open, as was just seen, and by the protocol it is this function's to own.
    let owned = unsafe { OwnedFd::from_raw_fd(EVENTS_FD) };
    Ok(Events(Arc::new(Mutex::new(owned.into()))))
}

/// Lets the kernel end this process when the runner's process ends.
fn die_with(parent: u32) -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())?;
    let alive = i32::try_from(parent)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|pid| pidfd_open(pid, PidfdFlags::empty()).is_ok());
    // It may have ended before the kernel was told to look.
    if alive { Ok(()) } else { Err(format!("the runner (process {parent}) is gone")) }
}

fn run(table: &[Subtest], request: Request, events: Events) -> Outcome {
    events.send(&ChildEvent::Started { version: VERSION, pid: std::process::id() });
    trace::start(&request.identity.results_dir);
    let finished = match end_waits_when_asked() {
        Ok(()) => panic::catch(&request.subtest, || call(table, &request, &events))
            .unwrap_or_else(|panic| *panic),
        Err(error) => Finished::new(Outcome::Error, format!("no thread for signals: {error}")),
    };
    tracing::info!("{}", format!("finished: {} {}", finished.outcome, finished.message).trim_end());
    let outcome = finished.outcome;
    events.send(&ChildEvent::Finished(finished));
    outcome
}

/// SIGTERM is how the runner asks: every wait of the library then ends with `Interrupted`.
fn end_waits_when_asked() -> io::Result<()> {
    let signals = [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT];
    let mut signals = signal_hook::iterator::Signals::new(signals)?;
    let listen = move || {
        for _ in &mut signals {
            interrupt::request();
        }
    };
    std::thread::Builder::new().spawn(listen).map(drop)
}

fn call(table: &[Subtest], request: &Request, events: &Events) -> Finished {
    let Some(subtest) = table.iter().find(|subtest| subtest.name == request.subtest) else {
        let message = format!("there is no subtest `{}` in this program", request.subtest);
        return Finished::new(Outcome::Error, message);
    };
    let mut env = match Env::open(&request.env) {
        Ok(env) => env.with_params(&request.params).with_log_dir(&request.identity.results_dir),
        Err(error) => return Finished::of_error(Outcome::of_preparation(error.kind()), &error),
    };
    // A wrong value was told before this process was started.
    let factor = request.params.get_u64_or("stall_factor", stall::FACTOR.into());
    stall::set_factor(
        factor.ok().and_then(|factor| factor.try_into().ok()).unwrap_or(stall::FACTOR),
    );
    let listener = events.clone();
    doing::listen(move |what| listener.send(&ChildEvent::Doing { what: what.to_owned() }));
    let listener = events.clone();
    perturb::listen(move |done| {
        listener.send(&ChildEvent::Perturbed { kind: done.kind, what: done.to_string() });
    });
    let sink = events.clone();
    let mut test = Test::new(request.identity.clone(), move |note| {
        match &note {
            Note::Log { message } => tracing::info!("{message}"),
            Note::Warning { message } => tracing::warn!("{message}"),
            Note::KeyValue { key, value } => tracing::info!("{key} = {value}"),
        }
        sink.send(&ChildEvent::Note { note });
    });
    kvmtest::error::keep_stacks();
    match (subtest.run)(&mut test, &request.params, &mut env) {
        Ok(()) => Finished::new(Outcome::Pass, ""),
        Err(error) => memory::without_limit(|| Finished {
            location: error.stack().and_then(|stack| line_of(stack, subtest.name)),
            ..Finished::of_error(Outcome::of_subtest(error.kind()), &error)
        }),
    }
}
