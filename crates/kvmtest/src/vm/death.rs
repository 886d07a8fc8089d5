//! How a machine ended, in its own words.

use std::os::fd::AsFd;
use std::time::Duration;

use camino::Utf8Path;

use super::Vm;
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::{self, Exit};
use crate::wait;

/// The guard writes down how QEMU ended within a few milliseconds of the end, where the host lets
/// it.
const VERDICT: Duration = Duration::from_secs(5);
/// How long QEMU's last events may take.
const EVENTS: Duration = Duration::from_millis(500);

impl Vm {
    /// Waits until QEMU has ended: the guest powered off, or was made to.
    pub fn wait_for_shutdown(&self, timeout: Duration) -> Result<()> {
        self.expect_shutdown()?;
        let _doing = doing::begin(format!("waiting for the VM `{}` to shut down", self.name()));
        if self.ends_within(timeout)? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::VmDead,
            format!("the VM `{}` did not shut down within {timeout:?}", self.name()),
        ))
    }

    /// Whether QEMU ends, or had ended, within `timeout`.
    pub(crate) fn ends_within(&self, timeout: Duration) -> Result<bool> {
        match self.process()? {
            Some(process) => {
                let [ended] = wait::readable([process.as_fd()], Deadline::after(timeout))?;
                Ok(ended)
            }
            None => Ok(true),
        }
    }

    /// Whether QEMU is at its end.
    pub(super) fn ends_soon(&self) -> Result<bool> {
        self.ends_within(Duration::from_millis(100))
    }

    /// The error that says that the VM is dead, and how it died.
    pub(crate) fn death(&self) -> Error {
        let Some(ending) = self.ending() else {
            return Error::new(
                ErrorKind::VmDead,
                format!("the VM `{}` was not started", self.name()),
            );
        };
        Error::new(ErrorKind::VmDead, format!("the VM `{}` is dead: {ending}", self.name()))
    }

    /// How QEMU ended, in its own words; nothing for a VM that was not started. To be asked once
    /// its process is gone: what is not known by then is waited for as long as its guard lives, up to
    /// five seconds.
    pub fn ending(&self) -> Option<Ending> {
        let record = self.record()?;
        let runtime = &record.instance.runtime;
        let guard = lease::guard_of(runtime).ok().flatten();
        if let Some(guard) = guard.and_then(|guard| guard.open().ok()?) {
            let deadline = Deadline::after(VERDICT);
            let _ = record.instance.wait_for_file(lease::EXIT, Some(guard.as_fd()), deadline);
        }
        let exit = lease::exit_of(runtime).ok().flatten();
        let reason = self.shutdown_reason(Deadline::after(EVENTS));
        let words = last_words(&record.instance.qemu_log());
        Some(Ending { exit, reason, words })
    }

    /// Why QEMU said that it shuts down, if it was listened to.
    fn shutdown_reason(&self, deadline: Deadline) -> Option<String> {
        let state = self.state();
        let monitors = &state.running.as_ref()?.monitors;
        let mut reasons = monitors.values().filter_map(|monitor| {
            monitor.drain(deadline);
            monitor.event("SHUTDOWN")?.data["reason"].as_str().map(str::to_owned)
        });
        reasons.next()
    }
}

/// How a QEMU process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its exit status or signal, where its guard saw it.
    pub exit: Option<Exit>,
    /// Why it said that it shuts down, in QMP's words (`guest-shutdown`), where it was listened
    /// to.
    pub reason: Option<String>,
    /// The last lines that it wrote itself, on one line; empty where it wrote nothing.
    pub words: String,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.exit {
            Some(exit) => write!(f, "QEMU {exit}")?,
            None => f.write_str("QEMU is gone")?,
        }
        if let Some(reason) = self.reason.as_deref().and_then(in_words) {
            write!(f, " ({reason})")?;
        }
        if !self.words.is_empty() {
            write!(f, "; its last words: {}", self.words)?;
        }
        Ok(())
    }
}

/// The last lines of QEMU's own output, on one line, without control characters.
pub(super) fn last_words(log: &Utf8Path) -> String {
    const LINES: usize = 8;
    let bytes = tail(log, 8192).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.join("; ").chars().filter(|c| !c.is_control()).collect()
}

/// The last `count` bytes of a file.
pub(super) fn tail(path: &Utf8Path, count: u64) -> Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(count)))?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn in_words(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "guest-shutdown" => "the guest powered off",
        "guest-reset" => "the guest rebooted, and `-no-reboot` was given",
        "guest-panic" => "the guest panicked",
        "host-qmp-quit" => "a monitor said quit",
        "host-signal" => "it was asked to by a signal",
        "host-ui" => "its window was closed",
        _ => return None,
    })
}
