//! Runs the host's programs, with a deadline.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::deadline::Deadline;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::wait;

/// Programs that may be missing, and the packages that have them.
const PACKAGES: [(&str, &str); 7] = [
    ("apt-get", "apt"),
    ("apt-cache", "apt"),
    ("dpkg-deb", "dpkg"),
    ("mke2fs", "e2fsprogs"),
    ("debugfs", "e2fsprogs"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// Fails with the command that installs what is missing of `programs`.
pub(super) fn require(programs: &[&str]) -> Result<()> {
    let missing: Vec<&str> =
        programs.iter().copied().filter(|program| resolve(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = PACKAGES
        .iter()
        .filter(|(program, _)| missing.contains(program))
        .map(|(_, package)| *package)
        .collect();
    packages.dedup();
    Err(Error::new(
        ErrorKind::Host,
        format!(
            "the host lacks {}: install it with `sudo apt-get install {}`",
            missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            packages.join(" ")
        ),
    ))
}

/// Runs `command` to its end and returns its standard output.
///
/// A status other than 0 is an error with the end of what it said. Past `deadline`, or when
/// interrupted, its process group is killed.
pub(super) fn run(command: &mut Command, deadline: Deadline) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    if let Some(path) = resolve(&name) {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        tracing::debug!(program = %path.display(), ?arguments, "running");
    }
    // Files, not pipes: nobody has to read while the program runs.
    let (mut output, mut errors) = (unnamed()?, unnamed()?);
    let mut child = command
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", search_path())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting `{name}`"))?;
    let ended = await_end(&child, deadline);
    if !matches!(ended, Ok(true)) {
        if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = child.wait();
        ended?;
        return Err(Error::new(ErrorKind::Host, format!("`{name}` did not end in time"))
            .with_output(content(&mut errors)?));
    }
    let status = child.wait()?;
    if status.success() {
        return content(&mut output);
    }
    let said = content(&mut errors)?;
    let text = String::from_utf8_lossy(&said);
    let last: Vec<&str> = text.trim().lines().rev().take(4).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(Error::new(ErrorKind::Host, format!("`{name}` failed ({status}): {}", last.join("; ")))
        .with_output(said))
}

fn await_end(child: &std::process::Child, deadline: Deadline) -> Result<bool> {
    let pid = Pid::from_raw(child.id().cast_signed())
        .ok_or_else(|| Error::new(ErrorKind::Io, "a child without a process id"))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    Ok(wait::readable([pidfd.as_fd()], deadline)? == [true])
}

fn unnamed() -> Result<File> {
    let fd = rustix::fs::memfd_create("output", rustix::fs::MemfdFlags::CLOEXEC)?;
    Ok(File::from(fd))
}

fn content(file: &mut File) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn resolve(program: &str) -> Option<std::path::PathBuf> {
    let paths = search_path();
    std::env::split_paths(&paths).map(|directory| directory.join(program)).find(|p| p.is_file())
}

/// An ordinary user's PATH has no `sbin`, where mke2fs lies.
fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin:/usr/bin:/bin");
    path
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shell(script: &str, timeout: Duration) -> Result<Vec<u8>> {
        run(Command::new("sh").args(["-c", script]), Deadline::after(timeout))
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn output_comes_back_and_errors_say_why() {
        assert_eq!(shell("echo a; echo b >&2", LONG).expect("no error"), b"a\n");
        let error = shell("echo no such thing >&2; exit 3", LONG).expect_err("status 3");
        assert!(error.message().contains("no such thing"), "{error}");
        assert_eq!(error.output(), Some(&b"no such thing\n"[..]));
    }

    #[test]
    fn a_program_past_its_deadline_is_killed_with_its_children() {
        let error = shell("sleep 1000 & sleep 1000", Duration::from_millis(50)).expect_err("late");
        assert!(error.message().contains("did not end in time"), "{error}");
    }

    #[test]
    fn missing_programs_are_named_with_the_command_that_installs_them() {
        require(&["sh"]).expect("sh is everywhere");
        let error = require(&["sh", "no-such-program"]).expect_err("missing");
        assert!(error.message().contains("`no-such-program`"), "{error}");
    }
}
