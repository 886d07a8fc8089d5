//! The guard: starts one QEMU, watches it and its lease, and clears up when nothing holds it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use rustix::event::PollFlags;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, pidfd_send_signal};

use super::start::{Answer, Start};
use super::{EXIT, Exit, Lease, QEMU, Qemu, VERSION};
use crate::changes::{Changes, WatchFlags};
use crate::deadline::Deadline;
use crate::document;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::vm::Instance;
use crate::{env, stall, wait};

/// How long QEMU has to end by itself when the guard tells it to; then it is killed. All of a
/// clearing-up is to take less than a second.
const PATIENCE: Duration = Duration::from_millis(400);

/// Serves as a guard: the whole work of the command `kvmtest guard`, which reads a request on
/// standard input, answers with one line on standard output, and lives as long as the machine.
pub fn serve(input: impl Read, mut output: impl Write) -> Result<()> {
    // Out of the test's process group and away from its terminal: neither its end nor a Ctrl-C
    // concerns the guard.
    let _ = rustix::process::setsid();
    lift_limit();
    // A machine that nobody wants takes what the host is short of.
    stall::set_factor(1);
    let request: Start = serde_json::from_reader(input).map_err(|error| {
        Error::new(ErrorKind::VmCreate, format!("the guard's request is broken: {error}"))
    })?;
    let instance = request.instance.clone();
    let guard = Guard::start(&request);
    let answer = match &guard {
        Ok(guard) => Answer::Started(guard.process.clone()),
        Err(error) => Answer::Failed(error.to_string()),
    };
    let line = serde_json::to_string(&answer).expect("plain data");
    let told = writeln!(output, "{line}").and_then(|()| output.flush());
    // Descriptors 0 to 2 came from whoever asked, who may wait for their end.
    release_standard_streams();
    let mut guard = guard?;
    if told.is_err() {
        // Nobody knows of this machine.
        guard.kill_qemu();
        instance.remove();
        return Ok(());
    }
    guard.watch()
}

struct Guard {
    instance: Instance,
    qemu: Child,
    process: ProcessId,
    pidfd: OwnedFd,
    changes: Changes,
    exited: bool,
}

impl Guard {
    fn start(request: &Start) -> Result<Self> {
        let instance = request.instance.clone();
        let changes = watch_directory(&instance)?;
        let (program, arguments) = request.command.split_first().ok_or_else(|| {
            Error::new(ErrorKind::VmCreate, "the guard was given no command to start")
        })?;
        let log = instance.qemu_log();
        let log = File::options()
            .append(true)
            .create(true)
            .open(&log)
            .with_context(|| format!("opening {log}"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(request.environment.iter().cloned())
            .current_dir(&instance.runtime)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let guard = rustix::process::getpid();
        let begin = move || {
            // Of a guard that was killed by now nobody may have looked for a QEMU in time.
            if rustix::process::getppid() != Some(guard) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            rustix::process::setsid().map(drop).map_err(Into::into)
        };
        // SAFETY: both calls are async-signal-safe and touch nothing of this process.
        unsafe {
            command.pre_exec(begin);
        }
        let mut qemu = command.spawn().with_context(|| format!("starting `{program}`"))?;
        let identified = ProcessId::of_child(qemu.id()).and_then(|process| {
            let guard = Some(ProcessId::own()?);
            let document = Qemu { version: VERSION, process: process.clone(), guard };
            document::write(&instance.runtime.join(QEMU), &document)?;
            let pid = Pid::from_child(&qemu);
            let flags = rustix::process::PidfdFlags::empty();
            Ok((process, rustix::process::pidfd_open(pid, flags)?))
        });
        match identified {
            Ok((process, pidfd)) => {
                // Where it was started from may be unmounted or removed while it lives.
                let _ = std::env::set_current_dir("/");
                Ok(Self { instance, qemu, process, pidfd, changes, exited: false })
            }
            Err(error) => {
                let _ = qemu.kill();
                let _ = qemu.wait();
                Err(error)
            }
        }
    }

    /// Watches until there is nothing left to guard.
    fn watch(&mut self) -> Result<()> {
        while self.instance.runtime.exists() {
            // A lease that cannot be read holds nothing: better a machine lost than one leaked.
            let lease = Lease::read(&self.instance.runtime).ok().flatten();
            let holder = lease.as_ref().and_then(|lease| lease.holder.as_ref()?.open().ok()?);
            let lasts = lease.as_ref().is_some_and(Lease::lasts);
            if holder.is_none() && !lasts {
                // Somebody may be about to hold it: from here on nobody can.
                let _alone = super::alone(&self.instance.runtime);
                if Lease::read(&self.instance.runtime).ok().flatten() != lease {
                    continue;
                }
                if self.instance.runtime.exists() {
                    self.clear_up(lease.as_ref());
                }
                break;
            }
            self.wait(holder.as_ref().map(AsFd::as_fd), lease.as_ref())?;
        }
        // The directory went first: whoever removed it had ended QEMU, or wants it ended.
        self.kill_qemu();
        Ok(())
    }

    /// Waits until QEMU or the holder ends, the lease changes, or its time is up.
    fn wait(&mut self, holder: Option<BorrowedFd<'_>>, lease: Option<&Lease>) -> Result<()> {
        let left = match lease.and_then(|lease| lease.until) {
            Some(until) if holder.is_none() => {
                Duration::try_from(Timestamp::now().until(until).unwrap_or_default())
                    .unwrap_or(Duration::ZERO)
            }
            _ => Duration::MAX,
        };
        let mut wanted = vec![(self.changes.as_fd(), PollFlags::IN)];
        wanted.extend(holder.map(|holder| (holder, PollFlags::IN)));
        if !self.exited {
            wanted.push((self.pidfd.as_fd(), PollFlags::IN));
        }
        let ready = wait::ready_flags(&wanted, Deadline::after(left))?;
        if !self.exited && ready.last().is_some_and(|flags| !flags.is_empty()) {
            self.note_exit();
        }
        self.changes.quiet();
        Ok(())
    }

    /// Writes down how QEMU ended, for whoever asks why the machine is dead.
    fn note_exit(&mut self) {
        self.kill_children();
        if let Ok(status) = self.qemu.wait() {
            self.exited = true;
            let exit = Exit { version: VERSION, status: status.code(), signal: status.signal() };
            let _ = document::write(&self.instance.runtime.join(EXIT), &exit);
        }
    }

    fn clear_up(&mut self, lease: Option<&Lease>) {
        self.kill_qemu();
        if let Some(Lease { env: Some(file), vm, .. }) = lease {
            // The env file may be gone, or broken; the machine is gone either way.
            let _ = env::forget(file, vm, &self.instance.id);
        }
        self.instance.remove();
    }

    fn kill_qemu(&mut self) {
        if self.exited {
            return;
        }
        let _ = pidfd_send_signal(&self.pidfd, Signal::TERM);
        let ended = wait::readable([self.pidfd.as_fd()], Deadline::after(PATIENCE));
        if !matches!(ended, Ok([true])) {
            let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        }
        self.kill_children();
        let _ = self.qemu.wait();
        self.exited = true;
    }

    /// What QEMU started (a migration's `exec:`) may wait for ever for somebody who is gone. To be
    /// called before QEMU is waited for: until then its number, and its group's, is its own.
    fn kill_children(&self) {
        let _ = kill_process_group(Pid::from_child(&self.qemu), Signal::KILL);
    }
}

/// The memory of a subtest's processes may be limited; that of the machines is not meant.
fn lift_limit() {
    let limit = rustix::process::getrlimit(Resource::Data);
    let _ = rustix::process::setrlimit(Resource::Data, Rlimit { current: limit.maximum, ..limit });
}

/// Tells of a new lease, and of the directory's end.
fn watch_directory(instance: &Instance) -> Result<Changes> {
    let what = WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::DELETE_SELF;
    Changes::of(&instance.runtime, what)
}

fn release_standard_streams() {
    let Ok(null) = File::options().read(true).write(true).open("/dev/null") else { return };
    let _ = rustix::stdio::dup2_stdin(&null);
    let _ = rustix::stdio::dup2_stdout(&null);
    let _ = rustix::stdio::dup2_stderr(&null);
}
