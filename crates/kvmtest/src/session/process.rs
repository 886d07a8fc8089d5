//! A local process on a pseudo terminal of its own.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::OFlags;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, LocalModes, OptionalActions, OutputModes, Winsize};

use crate::error::{Context, Error, ErrorKind, Result};

/// A process that leads its own session, on a terminal that we hold the other end of. It is
/// killed and reaped, with all of its session, when this is dropped.
pub(super) struct Process {
    master: OwnedFd,
    child: Child,
    pidfd: OwnedFd,
}

impl Process {
    /// Starts `argv` with `TERM=dumb` on a terminal that neither echoes nor translates line ends.
    pub(super) fn spawn(argv: &[String]) -> Result<Self> {
        let (program, arguments) =
            argv.split_first().ok_or_else(|| Error::new(ErrorKind::Io, "no program to start"))?;
        let (master, peer) = terminal().context("making a pseudo terminal")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("TERM", "dumb")
            // Questions are answered by us, on the terminal, not in a window on the desktop.
            .env("SSH_ASKPASS_REQUIRE", "never")
            .stdin(Stdio::from(peer.try_clone()?))
            .stdout(Stdio::from(peer.try_clone()?))
            .stderr(Stdio::from(peer));
        // SAFETY: between fork and exec only system calls are made, which is allowed there.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                // SAFETY: standard input was set to the terminal just before.
                let stdin = BorrowedFd::borrow_raw(0);
                rustix::process::ioctl_tiocsctty(stdin)?;
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(|error| not_started(program, error))?;
        let pid = Pid::from_child(&child);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { master, child, pidfd }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error.into())
            }
        }
    }

    /// The descriptor to read and write.
    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Readable once the process has ended, even if something else still holds its terminal.
    pub(super) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// How it ended, if it has.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        // Not reaped before the session is killed: until then nobody else can get its number.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::PidFd(self.pidfd()), options).ok().flatten()?;
        let raw = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => code << 8,
            (None, signal) => signal?,
        };
        Some(ExitStatus::from_raw(raw))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let leader = Pid::from_child(&self.child);
        kill_session(leader);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended, as a message says it.
pub(super) fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("the process ended with status {code}"),
        (None, Some(signal)) => format!("the process was killed by signal {signal}"),
        (None, None) => "the process ended".to_owned(),
    }
}

/// Both ends of a new terminal: ours, and the one for the process.
fn terminal() -> io::Result<(OwnedFd, File)> {
    use rustix::pty::{ioctl_tiocgptpeer, openpt, unlockpt};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    unlockpt(&master)?;
    let peer = ioctl_tiocgptpeer(&master, flags)?;
    let mut modes = rustix::termios::tcgetattr(&peer)?;
    modes.input_modes.remove(InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR);
    modes.input_modes.remove(InputModes::IXON);
    modes.output_modes.remove(OutputModes::OPOST);
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
    rustix::termios::tcsetattr(&peer, OptionalActions::Now, &modes)?;
    // Wide, so that neither `ps` cuts its lines nor a line editor wraps ours.
    let size = Winsize { ws_row: 50, ws_col: 500, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&peer, size)?;
    let status = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
    Ok((master, File::from(peer)))
}

fn not_started(program: &str, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!("the program `{program}` is not installed (or not in PATH)");
        return Error::new(ErrorKind::Host, message);
    }
    Error::new(ErrorKind::Host, format!("cannot start `{program}`")).caused_by(error)
}

/// Kills whatever is in the session of `leader`: jobs in the background have process groups of
/// their own, which no signal to the leader's group would reach.
fn kill_session(leader: Pid) {
    let session = leader.as_raw_nonzero().get();
    let Ok(entries) = std::fs::read_dir("/proc") else { return };
    for entry in entries.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else { continue };
        if pid == leader || session_of(pid) != Some(session) {
            continue;
        }
        // Looked at again with the pidfd in hand: in between the number may have changed hands.
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        if session_of(pid) == Some(session) {
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        }
    }
}

/// The session of a process, as its number: one outside of our container is shown as 0.
fn session_of(pid: Pid) -> Option<i32> {
    let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name, in parentheses, may contain anything; what follows it are numbers.
    let after_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let fields = std::str::from_utf8(&stat[after_name..]).ok()?;
    fields.split_ascii_whitespace().nth(3)?.parse().ok()
}
