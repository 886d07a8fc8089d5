//! Every test of the workspace. `cargo test` runs one program of tests after another, and most of
//! these wait most of their time, for a guest or for a deadline: here some run at once. What each
//! of them prints comes in one piece.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// More would starve machines whose processors are emulated.
const AT_ONCE: usize = 2;

/// Builds them all, runs them, and says which have failed.
pub fn run(root: &Path) -> Result<(), String> {
    let programs = build(root)?;
    let logs = logs(&programs)?;
    let mut failed = run_all(programs, &logs);
    if let Err(why) = documentation(root) {
        failed.push(why);
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("failed, of the programs of tests:\n  {}", failed.join("\n  ")))
}

/// Those that fail, and how.
fn run_all(programs: Vec<Program>, logs: &Path) -> Vec<String> {
    let left = Mutex::new(VecDeque::from(programs));
    // Whoever has it waits for nothing.
    let next = || held(&left).pop_front();
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(program) = next() {
                    let started = Instant::now();
                    let outcome = program.run(logs);
                    let took = started.elapsed();
                    // Held while it prints.
                    let mut failed = held(&failed);
                    program.print(logs, took);
                    if let Err(why) = outcome {
                        failed.push(format!("{}: {why}", program.name()));
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// An executable that holds tests.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    package: String,
    source: PathBuf,
    executable: PathBuf,
    /// Where `cargo test` runs it.
    directory: PathBuf,
}

impl Program {
    /// What `cargo` says of an artifact, if it is one.
    fn parse(message: &Value) -> Option<Self> {
        let is_one = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
        let executable = message["executable"].as_str().filter(|_| is_one)?;
        let directory = Path::new(message["manifest_path"].as_str()?).parent()?;
        let source = Path::new(message["target"]["src_path"].as_str()?);
        Some(Self {
            package: directory.file_name()?.to_str()?.to_owned(),
            source: source.strip_prefix(directory).unwrap_or(source).to_owned(),
            executable: executable.into(),
            directory: directory.to_owned(),
        })
    }

    fn name(&self) -> String {
        format!("{} {}", self.package, self.source.display())
    }

    fn log(&self, logs: &Path) -> PathBuf {
        let name = self.executable.file_name().unwrap_or(OsStr::new("tests"));
        logs.join(name).with_extension("log")
    }

    /// Its output goes to a file: what it leaves behind must not hold it open for us.
    fn run(&self, logs: &Path) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("cannot run it: {error}");
        let log = File::create(self.log(logs)).map_err(cannot)?;
        let status = Command::new(&self.executable)
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(cannot)?)
            .stderr(log)
            .status()
            .map_err(cannot)?;
        if status.success() { Ok(()) } else { Err(status.to_string()) }
    }

    #[expect(clippy::print_stdout, reason = "what tests print is for who runs them")]
    fn print(&self, logs: &Path, took: Duration) {
        let output = std::fs::read(self.log(logs)).unwrap_or_default();
        let words = String::from_utf8_lossy(&output);
        println!("     Ran {}, in {} s\n{words}", self.name(), took.as_secs());
    }
}

/// All programs, up to date.
fn build(root: &Path) -> Result<Vec<Program>, String> {
    let Output { status, stdout, .. } =
        cargo(root, &["--no-run", "--message-format=json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("the tests cannot be built: cargo ended with {status}"));
    }
    let messages = serde_json::Deserializer::from_slice(&stdout).into_iter::<Value>();
    let programs: Vec<Program> =
        messages.flatten().filter_map(|message| Program::parse(&message)).collect();
    if programs.is_empty() {
        return Err("cargo has built no tests".into());
    }
    Ok(programs)
}

/// The examples of the reference.
fn documentation(root: &Path) -> Result<(), String> {
    let status = cargo(root, &["--doc", "--no-fail-fast"])
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("examples in documentation: {status}")) }
}

fn cargo(root: &Path, what: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--workspace", "--locked"]).args(what).current_dir(root);
    command
}

/// Where their output goes: beside what was built.
fn logs(programs: &[Program]) -> Result<PathBuf, String> {
    let built = programs.iter().find_map(|program| program.executable.ancestors().nth(2));
    let logs = built.unwrap_or(Path::new(".")).join("test-logs");
    std::fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    Ok(logs)
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn artifact(test: bool, executable: Value) -> Value {
        json!({
            "reason": "compiler-artifact",
            "manifest_path": "/p/crates/kvmtest/Cargo.toml",
            "target": {"kind": ["test"], "src_path": "/p/crates/kvmtest/tests/living/main.rs"},
            "profile": {"test": test},
            "executable": executable,
        })
    }

    #[test]
    fn what_holds_tests_is_told_from_what_is_only_built() {
        let executable = "/p/target/debug/deps/living-1728bf";
        let program = Program::parse(&artifact(true, executable.into())).expect("one");
        assert_eq!(program.name(), "kvmtest tests/living/main.rs");
        assert_eq!(program.directory, Path::new("/p/crates/kvmtest"));
        assert_eq!(program.log(Path::new("/logs")), Path::new("/logs/living-1728bf.log"));
        assert_eq!(Program::parse(&artifact(false, executable.into())), None, "a program");
        assert_eq!(Program::parse(&artifact(true, Value::Null)), None, "a library");
        assert_eq!(Program::parse(&json!({"reason": "build-finished"})), None);
    }

    #[test]
    fn some_run_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let made = Command::new("mkfifo").arg(directory.path().join("pipe")).status();
        assert!(made.expect("it is everywhere").success());
        let program = |name: &str, does: &str| {
            let executable = directory.path().join(name);
            let script = format!("#!/bin/sh\nexec timeout 60 sh -c '{does}'\n");
            kvmtest_tests::write_executable(&executable, script);
            let directory = directory.path().to_owned();
            Program { package: "p".into(), source: name.into(), executable, directory }
        };
        // Neither ends without the other.
        let programs = vec![program("says", "echo word >pipe"), program("hears", "cat pipe")];
        assert_eq!(run_all(programs, directory.path()), [""; 0]);
    }

    #[test]
    fn a_program_that_fails_is_told_from_one_that_passes_and_its_words_are_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let run = |executable: &str| {
            let program = Program {
                package: "p".into(),
                source: "tests/t.rs".into(),
                executable: executable.into(),
                directory: directory.path().to_owned(),
            };
            let outcome = program.run(directory.path());
            (outcome, std::fs::read_to_string(program.log(directory.path())).unwrap_or_default())
        };
        assert_eq!(run("/bin/true"), (Ok(()), String::new()));
        assert_eq!(run("/bin/false"), (Err("exit status: 1".into()), String::new()));
        let (outcome, words) = run("/bin/pwd");
        assert_eq!((outcome, Path::new(words.trim())), (Ok(()), directory.path()));
        assert!(run("/nosuch").0.unwrap_err().starts_with("cannot run it: "));
    }
}
