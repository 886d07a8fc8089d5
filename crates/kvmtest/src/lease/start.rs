//! Starts a guard, which starts QEMU.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::kill::kill_qemu;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::host::ProcessId;
use crate::vm::Instance;

/// What the guard is told on its standard input.
#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) instance: Instance,
    /// QEMU's program and arguments.
    pub(crate) command: Vec<String>,
    /// Variables that QEMU needs besides those of whoever starts it.
    pub(crate) environment: Vec<(String, String)>,
}

/// What the guard answers on its standard output, once.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Started(ProcessId),
    Failed(String),
}

/// Starts `request.command` under a guard of its own, which is `program guard`; gives back the
/// identity of the QEMU process. The instance's lease must be in force.
pub(crate) fn start(program: &Utf8Path, request: &Start) -> Result<ProcessId> {
    let doing = || format!("starting the guard `{program} guard`");
    let mut guard = Command::new(program)
        .arg("guard")
        // It outlives the test that started it, and is right to do so.
        .env_remove(crate::test::MARK)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(doing)?;
    let mut input = guard.stdin.take().expect("it was asked for");
    // One that ends before it has heard all of this has answered or has not, which is what counts.
    let _ = input.write_all(&serde_json::to_vec(request).expect("plain data"));
    drop(input);
    let mut line = String::new();
    let output = guard.stdout.take().expect("it was asked for");
    let heard = BufReader::new(output).read_line(&mut line);
    // Its status is for whoever adopts it: it outlives this process, or else is waited for here.
    std::thread::Builder::new()
        .name("guard".into())
        .spawn(move || guard.wait())
        .with_context(doing)?;
    match serde_json::from_str(&line) {
        Ok(Answer::Started(process)) => Ok(process),
        Ok(Answer::Failed(why)) => Err(Error::new(ErrorKind::VmCreate, why)),
        Err(_) => {
            // It may have come as far as starting QEMU.
            kill_qemu(&request.instance.runtime)?;
            heard.with_context(doing)?;
            Err(Error::new(
                ErrorKind::VmCreate,
                format!("the guard `{program} guard` ended without an answer: is it kvmtest?"),
            ))
        }
    }
}

type Finder = fn() -> Result<Utf8PathBuf>;

static FINDER: OnceLock<Finder> = OnceLock::new();

/// Says how this process finds the program whose `guard` command guards, where the env file does
/// not name it. For programs that are not kvmtest, but came with it. What was said first counts.
pub fn find_program_by(finder: Finder) {
    let _ = FINDER.set(finder);
}

/// The program whose `guard` command guards: the one that this process [finds](find_program_by);
/// else this one, if it is kvmtest, else the one on `PATH`.
pub(crate) fn program() -> Result<Utf8PathBuf> {
    if let Some(finder) = FINDER.get() {
        return finder();
    }
    let is_kvmtest = |path: &Utf8PathBuf| path.file_name() == Some("kvmtest");
    let this = std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    if let Some(this) = this.filter(is_kvmtest) {
        return Ok(this);
    }
    std::env::var("PATH")
        .unwrap_or_default()
        .split(':')
        .map(|dir| Utf8Path::new(dir).join("kvmtest"))
        .find(|path| path.is_absolute() && path.is_file())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Host,
                "no program `kvmtest` on PATH to guard the machine: install it, or name it with \
                 `Env::set_guard`",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guard_started_before_it_was_killed_is_ended() {
        let place = tempfile::tempdir().expect("a directory");
        let runtime = Utf8PathBuf::from_path_buf(place.path().join("vm1")).expect("UTF-8");
        std::fs::create_dir(&runtime).expect("made");
        let guard = runtime.with_file_name("guard");
        // It does not even listen to a request that is longer than a pipe holds.
        let script = "#!/bin/sh\nexec <&-\ncd \"${0%/*}/vm1\"\n\
                      sleep 600 <&- >&- 2>&- &\necho $! >pid\n";
        kvmtest_tests::write_executable(&guard, script);
        let instance =
            Instance { id: "x".into(), runtime: runtime.clone(), scratch: runtime.clone() };
        let command = vec!["x".repeat(1 << 20)];
        let request = Start { instance, command, environment: Vec::new() };
        let error = start(&guard, &request).expect_err("it said nothing");
        assert!(error.to_string().contains("ended without an answer"), "{error}");
        let pid = std::fs::read_to_string(runtime.join("pid")).expect("it started something");
        let pid = pid.trim().parse().expect("a number");
        ProcessId::of(pid).expect_err("it was ended");
    }
}
