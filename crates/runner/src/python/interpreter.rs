//! Which Python runs subtests, and whether it can.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::Params;
use kvmtest::host::{HostCommand, program};
use serde::Deserialize;

use super::package;
use crate::child::Program;

/// The package has to be of this version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The oldest Python that the package works with.
const OLDEST: &str = "3.9";

/// The interpreters that were asked what they are, each once.
#[derive(Debug, Default)]
pub struct Interpreters {
    known: Mutex<HashMap<Utf8PathBuf, Result<Interpreter, String>>>,
}

/// An interpreter that can run subtests.
#[derive(Debug, Clone)]
struct Interpreter {
    path: Utf8PathBuf,
    /// The folder to be put on its path, where it has no package of its own.
    package: Option<Utf8PathBuf>,
}

impl Interpreters {
    /// The program that runs the subtest in `file`, or why there is none: by the Python that the
    /// key `python_binary` names, else that of the active virtual environment, else that of the
    /// environment which this program is installed in, else `python3`.
    pub fn program(&self, params: &Params, file: &Utf8Path) -> Result<Program, String> {
        let wanted = params.find_nonempty("python_binary");
        let path = choose(wanted).map_err(|why| match params.origin("python_binary") {
            Some(place) if wanted.is_some() => format!("{why} (`python_binary`, {place})"),
            _ => why,
        })?;
        let interpreter = self.ask(&path)?;
        let file = camino::absolute_utf8(file).map_err(|error| format!("{file}: {error}"))?;
        let args = ["-m", "kvmtest", "child", file.as_str()];
        let child = Program::new(interpreter.path, args)
            // What lies in the working directory is not what is meant by a name.
            .env("PYTHONSAFEPATH", "1")
            .env("PYTHONFAULTHANDLER", "1")
            // Nothing is left in a user's folder.
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(match interpreter.package {
            Some(package) => child.env("PYTHONPATH", with(&package)),
            None => child,
        })
    }

    fn ask(&self, path: &Utf8Path) -> Result<Interpreter, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(path) {
            return known.clone();
        }
        let answer = ask(path);
        known.insert(path.to_owned(), answer.clone());
        answer
    }
}

/// What the probe prints.
#[derive(Debug, Deserialize)]
struct Told {
    version: String,
    old: bool,
    /// Itself, which a script that chooses among several (as of pyenv) would take long to find.
    executable: Option<Utf8PathBuf>,
    #[serde(default)]
    added: bool,
    package: Option<Package>,
    broken: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    version: String,
    file: Utf8PathBuf,
}

fn choose(wanted: Option<&str>) -> Result<Utf8PathBuf, String> {
    if let Some(wanted) = wanted {
        return program::find(wanted).ok_or_else(|| format!("there is no program `{wanted}`"));
    }
    let active = std::env::var("VIRTUAL_ENV").ok().filter(|dir| !dir.is_empty());
    if let Some(python) = active.map(|dir| Utf8PathBuf::from(dir).join("bin/python3"))
        && python.is_file()
    {
        return Ok(python);
    }
    if let Some(python) = of_program() {
        return Ok(python);
    }
    program::find("python3").ok_or_else(|| {
        let mend = program::install_command("python3");
        let mend = mend.map(|command| format!(": `{command}` installs it")).unwrap_or_default();
        format!("`python3` is not installed{mend}")
    })
}

/// The Python of the virtual environment that this program lies in.
fn of_program() -> Option<Utf8PathBuf> {
    let program = Utf8PathBuf::from_path_buf(std::env::current_exe().ok()?).ok()?;
    let dir = program.parent()?;
    let python = dir.join("python3");
    (dir.parent()?.join("pyvenv.cfg").is_file() && python.is_file()).then_some(python)
}

fn ask(path: &Utf8Path) -> Result<Interpreter, String> {
    /// It may have to be read from a slow disk.
    const TIMEOUT: Duration = Duration::from_secs(15);
    let beside = package::beside_program();
    let beside_text = beside.as_deref().map_or("", Utf8Path::as_str);
    let ended = HostCommand::new(path.as_str())
        .args(["-c", include_str!("probe.py"), beside_text])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .run(TIMEOUT)
        .map_err(|error| error.to_string())?;
    if !ended.status.success() {
        return Err(format!("{path} is no Python that works: {}", ended.words()));
    }
    let told: Told = serde_json::from_slice(&ended.output).map_err(|_| {
        let said = String::from_utf8_lossy(&ended.output);
        let said: String = said.trim().chars().take(100).collect();
        format!("{path} is no Python: asked for its version, it said `{}`", said.escape_debug())
    })?;
    judge(path, told, beside)
}

fn judge(path: &Utf8Path, told: Told, beside: Option<Utf8PathBuf>) -> Result<Interpreter, String> {
    let Told { version, old, executable, added, package, broken } = told;
    if old {
        return Err(format!(
            "{path} is Python {version}: subtests need {OLDEST} or later (`python_binary` names \
             another)"
        ));
    }
    if let Some(why) = broken {
        return Err(format!("the package `kvmtest` cannot be used by {path} ({version}): {why}"));
    }
    let Some(package) = package else {
        return Err(format!(
            "{path} (Python {version}) does not have the package `kvmtest`: `{}` mends that",
            package::command(path)
        ));
    };
    if package.version != VERSION {
        return Err(format!(
            "the package `kvmtest` of {path} has version {}, and this program {VERSION}: install \
             both from one place (the package is {}; `{}` mends that)",
            package.version,
            package.file,
            if added { package::command(path) } else { package::install(path) }
        ));
    }
    let package = if added { beside } else { None };
    let itself = executable.filter(|itself| itself.is_absolute() && itself.is_file());
    Ok(Interpreter { path: itself.unwrap_or_else(|| path.to_owned()), package })
}

/// `PYTHONPATH` with `package` at its end: what users put there comes first.
fn with(package: &Utf8Path) -> String {
    match std::env::var("PYTHONPATH") {
        Ok(path) if !path.is_empty() => format!("{path}:{package}"),
        _ => package.to_string(),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn told(json: &str) -> Result<Interpreter, String> {
        let told = serde_json::from_str(json).expect("as the probe prints it");
        judge(Utf8Path::new("/py"), told, Some("/beside".into()))
    }

    fn good() -> String {
        format!(
            r#"{{"version":"3.9.1","old":false,"package":{{"version":"{VERSION}","file":"/k"}}}}"#
        )
    }

    #[test]
    fn a_package_of_its_own_is_taken_before_the_one_beside_the_program() {
        assert_eq!(told(&good()).expect("taken").package, None);
        let added = good().replacen('{', r#"{"added":true,"#, 1);
        assert_eq!(told(&added).expect("taken").package.as_deref(), Some("/beside".into()));
    }

    #[test]
    fn what_was_asked_may_be_a_script_that_calls_another() {
        assert_eq!(told(&good()).expect("taken").path, "/py");
        for (itself, path) in [("/bin/sh", "/bin/sh"), ("/none", "/py"), ("", "/py"), ("sh", "/py")]
        {
            let told = told(&good().replacen('{', &format!(r#"{{"executable":"{itself}","#), 1));
            assert_eq!(told.expect("taken").path, path, "{itself}");
        }
    }

    #[track_caller]
    fn check_refused(json: &str, parts: &[&str]) {
        let why = told(json).expect_err("refused");
        for part in parts {
            assert!(why.contains(part), "{why} lacks {part}");
        }
    }

    #[test]
    fn what_cannot_run_subtests_is_refused_with_what_would_be_right() {
        check_refused(r#"{"version":"3.8.2","old":true}"#, &["/py", "3.8.2", "3.9 or later"]);
        check_refused(r#"{"version":"3.12.0","old":false}"#, &["3.12.0", "kvmtest", "mends that"]);
        let broken = r#"{"version":"3.9.1","old":false,"broken":"ImportError: no such symbol"}"#;
        check_refused(broken, &["ImportError: no such symbol"]);
        let other = good().replace(VERSION, "99.1.2");
        check_refused(&other, &["99.1.2", VERSION, "/k", "from one place"]);
    }

    /// A program that prints `text` when it is asked what it is.
    fn fake(dir: &Utf8Path, text: &str) -> Utf8PathBuf {
        let path = dir.join("python3");
        let script = format!("#!/bin/sh\ncat <<'END'\n{text}\nEND\n");
        kvmtest_tests::write_executable(&path, script);
        path
    }

    fn program(python: &Utf8Path) -> Result<Program, String> {
        let mut params = Params::new();
        params.set("python_binary", python.as_str());
        Interpreters::default().program(&params, Utf8Path::new("/tests/foo.py"))
    }

    #[test]
    fn the_one_that_is_named_runs_the_file_by_the_protocol() {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let python = fake(dir, &good());
        let program = program(&python).expect("taken");
        assert_eq!(program.path, python);
        assert_eq!(program.args, ["-m", "kvmtest", "child", "/tests/foo.py"]);
        assert!(program.env.iter().all(|(name, _)| name != "PYTHONPATH"), "{:?}", program.env);
    }

    #[test]
    fn what_is_no_python_is_told_apart() {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let why = program(&fake(dir, "GNU bash")).expect_err("refused");
        assert!(why.contains("is no Python: asked for its version, it said `GNU bash`"), "{why}");
        let why = program(Utf8Path::new("/bin/false")).expect_err("refused");
        assert!(why.contains("/bin/false is no Python that works"), "{why}");
        let why = program(&dir.join("none")).expect_err("refused");
        assert!(why.contains("there is no program"), "{why}");
    }

    #[test]
    fn each_is_asked_once() {
        let keep = tempfile::tempdir().expect("a directory");
        let dir = Utf8Path::from_path(keep.path()).expect("UTF-8");
        let python = fake(dir, &good());
        let mut params = Params::new();
        params.set("python_binary", python.as_str());
        let interpreters = Interpreters::default();
        let ask = || interpreters.program(&params, Utf8Path::new("/tests/foo.py"));
        assert!(ask().is_ok());
        fake(dir, "something else");
        assert!(ask().is_ok());
    }
}
