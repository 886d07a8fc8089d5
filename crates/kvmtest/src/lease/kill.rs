//! Ends a QEMU without its guard, which may have been killed.

use std::os::fd::AsFd;
use std::time::Duration;

use camino::Utf8Path;
use rustix::process::{Signal, pidfd_send_signal};

use super::qemu_of;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::wait;

/// How long the kernel has to end what it kills: a process in the midst of writing to a slow disk
/// takes its time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Kills the QEMU of the instance whose runtime directory this is; says whether there was one.
pub(crate) fn kill_qemu(runtime: &Utf8Path) -> Result<bool> {
    let qemu = match qemu_of(runtime) {
        Ok(Some(qemu)) => Some(qemu),
        // A guard may be killed after it has started QEMU and before it could say so.
        _ => works_in(runtime),
    };
    let Some(qemu) = qemu else { return Ok(false) };
    let Some(process) = qemu.open()? else { return Ok(false) };
    // What ended just now takes no signal.
    let _ = pidfd_send_signal(&process, Signal::KILL);
    let [ended] = wait::readable([process.as_fd()], Deadline::after(PATIENCE))?;
    if !ended {
        let message = format!("the QEMU in {runtime}, process {}, survives SIGKILL", qemu.pid);
        return Err(Error::new(ErrorKind::VmDead, message));
    }
    Ok(true)
}

/// The process whose working directory this is.
fn works_in(directory: &Utf8Path) -> Option<ProcessId> {
    let directory = directory.canonicalize_utf8().ok()?;
    let processes = std::fs::read_dir("/proc").ok()?;
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut there = numbers.filter(|pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == directory)
    });
    there.find_map(|pid| ProcessId::of(pid).ok())
}
