//! How a command ended.

use std::process::ExitStatus;

/// What a command said and how it ended. Everything that checks gives it back, to check more.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Ended {
    /// It ended with `code`.
    #[track_caller]
    pub fn code(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// It printed each of `parts`, on either stream.
    #[track_caller]
    pub fn says<const N: usize>(&self, parts: [&str; N]) -> &Self {
        for part in parts {
            let said = self.stdout.contains(part) || self.stderr.contains(part);
            assert!(said, "it did not say {part:?}:\n{self}");
        }
        self
    }

    /// It printed `part` on neither stream.
    #[track_caller]
    pub fn does_not_say(&self, part: &str) -> &Self {
        let said = self.stdout.contains(part) || self.stderr.contains(part);
        assert!(!said, "it said {part:?}:\n{self}");
        self
    }

    /// Nothing that it printed could steer a terminal.
    #[track_caller]
    pub fn is_clean(&self) -> &Self {
        let text = self.stdout.clone() + &self.stderr;
        let steers = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
        assert_eq!(steers, None, "{text:?}");
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "it ended with {}", self.status)?;
        writeln!(f, "--- standard output\n{}", self.stdout)?;
        writeln!(f, "--- standard error\n{}", self.stderr)
    }
}
