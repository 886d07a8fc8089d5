//! The things that a guest is told, and the one line that tells them.

use std::fmt;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// One of the things that a guest is told, as a command for its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: Name,
    pub(super) command: String,
}

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Resident,
    Clock,
    Seed,
    Mac,
    Link,
    Lease,
}

impl Name {
    /// What the shell says before its status.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Resident => "refresh",
            Self::Clock => "clock",
            Self::Seed => "seed",
            Self::Mac => "mac",
            Self::Link => "link",
            Self::Lease => "lease",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resident => "setting its clock and giving it new randomness",
            Self::Clock => "setting its clock",
            Self::Seed => "giving it new randomness",
            Self::Mac => "giving it another MAC address",
            Self::Link => "bouncing its links",
            Self::Lease => "renewing its leases",
        })
    }
}

impl Step {
    /// `template` with what stands in braces replaced by `values`.
    pub(super) fn new(name: Name, template: &str, values: &[(&str, String)]) -> Self {
        let fill = |text: String, (mark, value): &(&str, String)| text.replace(mark, value);
        Self { name, command: values.iter().fold(template.to_owned(), fill) }
    }
}

/// What stands for the time in a command.
pub(super) fn time(now: SystemTime) -> [(&'static str, String); 3] {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, nanoseconds) = (since.as_secs(), since.subsec_nanos());
    [
        ("{seconds}", seconds.to_string()),
        ("{nanoseconds}", format!("{nanoseconds:09}")),
        ("{nearest}", (seconds + u64::from(nanoseconds >= 500_000_000)).to_string()),
    ]
}

/// One line for a POSIX shell that does all of it, whatever fails, and says after each what its
/// status was; only complaints are printed in between.
pub(super) fn line(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |mut line, Step { name, command }| {
        // A comment at the end of a command must not swallow the parenthesis.
        let end = if command.contains(['#', '\n', '\\']) { "\n" } else { "" };
        let _ = write!(line, "({command}{end}) 2>&1 >/dev/null; echo {}=$?; ", name.word());
        line
    })
}
