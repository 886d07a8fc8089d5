//! How the console is written to.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};

/// How the console is written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConsoleOptions {
    /// Whether outcomes are coloured.
    pub color: bool,
    /// Whether lines that change show what runs.
    pub live: bool,
    /// How much is said.
    pub detail: Detail,
}

/// How much is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// Failures, and the last line.
    Quiet,
    /// Also a line for each test.
    #[default]
    Normal,
    /// Also what the tests say, and their phases.
    Verbose,
}

impl ConsoleOptions {
    /// What fits the terminal that is there, if one is. `NO_COLOR` forbids colours, and
    /// `CLICOLOR_FORCE` wants them even where no terminal is; an empty variable says nothing, and
    /// neither does `CLICOLOR_FORCE=0`.
    pub fn detect() -> Self {
        let variable = |name: &str| std::env::var_os(name);
        Self::of(variable, io::stdout().is_terminal(), io::stderr().is_terminal())
    }

    fn of<V: AsRef<OsStr>>(
        variable: impl Fn(&str) -> Option<V>,
        stdout: bool,
        stderr: bool,
    ) -> Self {
        let says = |name: &str, what: fn(&OsStr) -> bool| {
            variable(name).is_some_and(|value| what(value.as_ref()))
        };
        let forbidden = says("NO_COLOR", |value| !value.is_empty());
        let forced = says("CLICOLOR_FORCE", |value| !value.is_empty() && value != "0");
        let dumb = says("TERM", |value| value == "dumb");
        Self {
            color: !forbidden && (forced || (stdout && !dumb)),
            live: stdout && stderr && !dumb,
            detail: Detail::default(),
        }
    }

    /// The same, with as much said as `detail` wants.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides_on_colours() {
        let check = |set: &[(&str, &str)], terminal, color, live| {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|pair| pair.1);
            let options = ConsoleOptions::of(variable, terminal, terminal);
            assert_eq!((options.color, options.live), (color, live), "{set:?}, {terminal}");
        };
        check(&[], true, true, true);
        check(&[], false, false, false);
        check(&[("NO_COLOR", "1")], true, false, true);
        check(&[("NO_COLOR", "")], true, true, true);
        check(&[("CLICOLOR_FORCE", "1")], false, true, false);
        check(&[("CLICOLOR_FORCE", "0")], false, false, false);
        check(&[("CLICOLOR_FORCE", "")], false, false, false);
        check(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true, false, true);
        check(&[("TERM", "dumb")], true, false, false);
        check(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], true, true, false);
    }
}
