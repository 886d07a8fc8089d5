//! What was seen of a child when it had ended: facts only, the verdict is made of them elsewhere.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::leftover::Leftover;
use super::protocol::Finished;

/// What was seen of a child when it had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How the process ended.
    pub exit: Exit,
    /// How it said that the test ended.
    pub finished: Option<Finished>,
    /// How it broke the protocol, if it did.
    pub breach: Option<Breach>,
    /// Processes of its group that were still there when it had ended.
    pub leftovers: Vec<Leftover>,
    /// The last lines that it wrote on standard error.
    pub stderr: Vec<String>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// How a child broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// A line that is no event; its beginning, and what is wrong with it.
    Garbage(String, String),
    /// A line longer than so many bytes.
    LongLine(usize),
    /// More than so many bytes of events.
    Flood(u64),
    /// The descriptor was closed, and the process went on without having said how the test ended.
    Closed,
    /// The last line has no end.
    Torn(String),
    /// Another version.
    Version(u32),
    /// An event that cannot come at its place.
    Order(&'static str),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Code(-1),
        }
    }
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Garbage(line, why) => write!(f, "a line that is no event ({why}): `{line}`"),
            Self::LongLine(limit) => write!(f, "a line of more than {limit} bytes"),
            Self::Flood(limit) => write!(f, "more than {limit} bytes of events"),
            Self::Closed => {
                f.write_str("it closed descriptor 3 and went on without a `finished` event")
            }
            Self::Torn(line) => write!(f, "the last line is cut off: `{line}`"),
            Self::Version(version) => {
                write!(f, "it speaks version {version}, not {}", super::protocol::VERSION)
            }
            Self::Order(what) => f.write_str(what),
        }
    }
}
