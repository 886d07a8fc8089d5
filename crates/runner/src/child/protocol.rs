//! The words of the child protocol.

use camino::Utf8PathBuf;
use kvmtest::Error;
use kvmtest::params::Params;
use kvmtest::perturb::Kind;
use kvmtest::test::{Identity, Note};
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// The version of the protocol; a child that gets another one refuses the request.
pub const VERSION: u32 = 1;

/// The descriptor on which a child writes its events.
pub const EVENTS_FD: i32 = 3;

/// What a child is asked to run: one JSON document on its standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// The process that waits for the result; when it dies, the child has nobody to run for.
    pub parent: u32,
    /// The subtest: `boot` for `run_boot`.
    pub subtest: String,
    /// Which test it is, and where its things lie.
    pub identity: Identity,
    /// The env file.
    pub env: Utf8PathBuf,
    /// The parameters.
    pub params: Params,
}

/// What a child says: one JSON document a line, on descriptor 3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum ChildEvent {
    /// The first line: the request was understood.
    Started {
        /// [`VERSION`], as the child speaks it.
        version: u32,
        /// The child's process id.
        pid: u32,
    },
    /// The subtest said something.
    Note {
        /// What it said.
        note: Note,
    },
    /// What the subtest is busy with takes long; empty when that is over. To be sent seldom: it
    /// is told when somebody wonders why nothing happens.
    Doing {
        /// What it does: `logging in to the VM vm1`.
        what: String,
    },
    /// A machine went through something under the test (`--perturb`).
    Perturbed {
        /// What.
        kind: Kind,
        /// The same in words: where, and how long it took.
        what: String,
    },
    /// The last line: how the test ended.
    Finished(Finished),
}

/// How a test ended, as the child tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// In one word.
    pub outcome: Outcome,
    /// What kind of error it was, in the library's words (`login-timeout`), or `panic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What went wrong; empty for PASS.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What was being done, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// The line of source, where it is known: `src/boot.rs:17:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What the other side (a guest, QEMU) had said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The stack, where one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backtrace: Option<String>,
}

impl Finished {
    /// An ending without details.
    pub fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            kind: None,
            message: message.into(),
            contexts: Vec::new(),
            location: None,
            output: None,
            backtrace: None,
        }
    }

    /// The ending that `error` is.
    pub fn of_error(outcome: Outcome, error: &Error) -> Self {
        let mut message = error.message().to_owned();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let kind = serde_json::to_value(error.kind()).ok();
        Self {
            kind: kind.and_then(|kind| kind.as_str().map(str::to_owned)),
            contexts: error.contexts().map(str::to_owned).collect(),
            output: error.output().map(last_part).filter(|output| !message.contains(output.trim())),
            ..Self::new(outcome, message)
        }
    }

    /// The same ending, told in other words.
    #[must_use]
    pub fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }

    /// The same ending, met while doing `what`.
    #[must_use]
    pub fn within(mut self, what: &str) -> Self {
        self.contexts.insert(0, what.to_owned());
        self
    }
}

/// The end of what the other side said: that is where the news is.
fn last_part(output: &[u8]) -> String {
    const KEPT: usize = 4 << 10;
    String::from_utf8_lossy(&output[output.len().saturating_sub(KEPT)..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_message_says_is_not_said_again() {
        let check = |output: &str, expect: Option<&str>| {
            let error = Error::new(kvmtest::ErrorKind::Io, "`x` failed (exit status: 1: no room)");
            let error = error.with_output(output.as_bytes().to_vec());
            let finished = Finished::of_error(Outcome::Error, &error);
            assert_eq!(finished.output.as_deref(), expect, "{output:?}");
        };
        check("", None);
        check("no room\n", None);
        check("\n", None);
        check("a disk\nno room\n", Some("a disk\nno room\n"));
    }

    /// What a child in another language has to write, letter by letter.
    #[test]
    fn the_words_are_these() {
        let lines = [
            (
                r#"{"event":"started","version":1,"pid":7}"#,
                ChildEvent::Started { version: 1, pid: 7 },
            ),
            (
                r#"{"event":"note","note":{"note":"warning","message":"slow"}}"#,
                ChildEvent::Note { note: Note::Warning { message: "slow".into() } },
            ),
            (
                r#"{"event":"doing","what":"logging in"}"#,
                ChildEvent::Doing { what: "logging in".into() },
            ),
            (
                r#"{"event":"perturbed","kind":"migrate","what":"checkpoint 2"}"#,
                ChildEvent::Perturbed { kind: Kind::Migrate, what: "checkpoint 2".into() },
            ),
            (
                r#"{"event":"finished","outcome":"PASS"}"#,
                ChildEvent::Finished(Finished::new(Outcome::Pass, "")),
            ),
        ];
        for (line, event) in lines {
            assert_eq!(serde_json::from_str::<ChildEvent>(line).expect(line), event);
            assert_eq!(serde_json::to_string(&event).expect("serialises"), line);
        }
    }
}
