//! How each profiler is called.

use camino::Utf8Path;
use kvmtest::host::HostCommand;
use kvmtest::{Error, ErrorKind, Params, Result};

use crate::around::Around;
use crate::hook;

/// How a profiler is called.
pub(crate) enum Recipe {
    /// One that the host may have: program and arguments.
    BuiltIn(&'static [&'static str]),
    /// A line of the user's.
    Line(String),
}

/// Profilers by name, with what they call. An argument `@` is a file of the profiler's own in
/// `profile/`, named after it with `.data`.
const BUILT_IN: &[(&str, &[&str])] = &[
    ("vmstat", &["vmstat", "-t", "-w", "1"]),
    ("iostat", &["iostat", "-t", "-x", "-y", "1"]),
    ("mpstat", &["mpstat", "-P", "ALL", "1"]),
    ("kvm_stat", &["kvm_stat", "-l"]),
    ("perf_stat", &["perf", "stat", "-a", "-I", "1000"]),
    ("perf_kvm", &["perf", "kvm", "stat", "record", "-a", "-o", "@"]),
];

impl Recipe {
    /// What `profiler_command_<name>` says, or else the built-in one of that name.
    pub(crate) fn of(params: &Params, name: &str) -> Result<Self> {
        let own = params.object_params(name);
        if let Some(line) = own.find_nonempty("profiler_command") {
            return Ok(Self::Line(line.to_owned()));
        }
        if let Some((_, words)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Ok(Self::BuiltIn(words));
        }
        let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "no profiler is called `{name}`: say `profiler_command_{name} = …`, or take one of \
             `{}`",
            names.join("`, `")
        );
        Err(Error::new(ErrorKind::Params, message))
    }

    /// The command, whose output goes to a file in `dir`.
    pub(super) fn command(&self, around: &Around, name: &str, dir: &Utf8Path) -> HostCommand {
        let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = name.chars().map(legal).collect();
        let command = match self {
            Self::Line(line) => hook::command(around, &name, line),
            Self::BuiltIn(words) => {
                let data = dir.join(format!("{name}.data")).into_string();
                let word = |word: &&str| if *word == "@" { data.clone() } else { (*word).into() };
                HostCommand::new(words[0]).args(words[1..].iter().map(word))
            }
        };
        command.env("KVMTEST_PROFILE_DIR", dir.as_str()).log(dir.join(format!("{name}.log")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_users_comes_first() {
        let mut params = Params::new();
        assert!(matches!(Recipe::of(&params, "vmstat"), Ok(Recipe::BuiltIn(["vmstat", ..]))));
        params.set("profiler_command_vmstat", "vmstat 9");
        assert!(
            matches!(Recipe::of(&params, "vmstat"), Ok(Recipe::Line(line)) if line == "vmstat 9")
        );
        let error = Recipe::of(&params, "oprofile").err().expect("unknown").to_string();
        assert!(error.contains("`oprofile`") && error.contains("perf_kvm"), "{error}");
    }
}
