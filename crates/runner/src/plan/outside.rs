//! The subtests of a crate outside of this source tree.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::{Error, ErrorKind, Result};
use serde::Deserialize;

use super::known::{Code, KnownSubtest, in_folder};
use crate::child::Program;
use crate::subtests_main::{LIST_VERSION, Listed};

/// Builds the crate in `dir`, and tells its subtests.
pub(super) fn subtests(dir: &Utf8Path) -> Result<Vec<KnownSubtest>> {
    if !dir.join("target/release").exists() {
        // Where nobody reads it, nothing is lost.
        let _ = writeln!(
            std::io::stderr(),
            "building the subtests in {dir}: the first time takes a few minutes"
        );
    }
    let program = build(dir)?;
    let runs = Arc::new(Program::new(program.clone(), ["child"]));
    let known = |listed: Listed| KnownSubtest {
        name: listed.name,
        file: in_folder(dir, &listed.file),
        doc: listed.doc,
        code: Code::Compiled(runs.clone()),
    };
    Ok(list(&program)?.into_iter().map(known).collect())
}

/// Builds the crate; what Cargo says is shown only when it fails.
fn build(dir: &Utf8Path) -> Result<Utf8PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--message-format=json-render-diagnostics"])
        .current_dir(dir);
    let output = run(&mut command, "cargo")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let message =
            format!("the crate of subtests in {dir} does not build:\n{}", said.trim_end());
        return Err(Error::new(ErrorKind::Config, message).with_output(output.stderr.clone()));
    }
    let mut programs: Vec<Utf8PathBuf> =
        output.stdout.split(|byte| *byte == b'\n').filter_map(executable).collect();
    programs.dedup();
    match <[_; 1]>::try_from(programs) {
        Ok([program]) => Ok(program),
        Err(programs) => {
            let message = format!(
                "the crate of subtests in {dir} makes {} programs where it should make one",
                programs.len()
            );
            Err(Error::new(ErrorKind::Config, message))
        }
    }
}

/// The program that a line of Cargo's output tells of.
fn executable(line: &[u8]) -> Option<Utf8PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        executable: Option<Utf8PathBuf>,
    }
    serde_json::from_slice::<Message>(line).ok()?.executable
}

/// Asks the program for its subtests.
fn list(program: &Utf8Path) -> Result<Vec<Listed>> {
    let output = run(Command::new(program).arg("--list"), program.as_str())?;
    let wrong = |why: String| {
        let message = format!(
            "{program} does not answer `--list` as a program of subtests does: {why} (its `main` \
             should be `kvmtest_runner::subtests_main(SUBTESTS)`)"
        );
        Error::new(ErrorKind::Config, message).with_output(output.stderr.clone())
    };
    if !output.status.success() {
        return Err(wrong(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| {
            let listed: Listed =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            match listed.version {
                LIST_VERSION => Ok(listed),
                other => Err(wrong(format!("version {other}, not {LIST_VERSION}"))),
            }
        })
        .collect()
}

fn run(command: &mut Command, name: &str) -> Result<Output> {
    command.stdin(Stdio::null()).output().map_err(|error| {
        Error::new(ErrorKind::Host, format!("cannot start {name}")).caused_by(error)
    })
}
