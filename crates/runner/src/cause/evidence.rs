//! What is known of a failure.

use kvmtest::ErrorKind;
use kvmtest::guest::progress::Progress;
use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::host::HostFacts;
use super::vcpu::{Vcpu, VcpuState};
use crate::child::protocol::Finished;
use crate::event::Phase;
use crate::outcome::Outcome;
use crate::watch::Finding;

/// The version of `evidence.json`.
pub(super) const VERSION: u32 = 1;

/// What is known of a failure: what was gathered before anything was ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// 1.
    pub version: u32,
    /// What the test said itself.
    pub failure: Failure,
    /// What was found while it ran.
    pub findings: Vec<Finding>,
    /// Its machines.
    pub machines: Vec<Machine>,
    /// The host, while it ran.
    pub host: HostFacts,
    /// How long the gathering took, in milliseconds.
    pub took_ms: u64,
}

/// How a test ended, and in which phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The outcome.
    pub outcome: Outcome,
    /// The phase in which it failed.
    pub phase: Phase,
    /// The kind of error, in the library's words, or in the runner's (`test-timeout`, `panic`).
    pub kind: Option<String>,
    /// What it said.
    pub message: String,
    /// What was being done, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
}

/// What is known of a machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The VM's name.
    pub name: String,
    /// How QEMU ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// What the kernel says the QEMU process does: `R` runs, `S` sleeps, `D` waits for a device,
    /// `T` is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_state: Option<char>,
    /// Whether QEMU answers on the harness's monitor.
    pub monitor: Voice,
    /// What QEMU says of the machine: `running`, `paused`, `io-error`, `guest-panicked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its processors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vcpus: Vec<Vcpu>,
    /// How far its last boot got, by the console.
    pub progress: Progress,
    /// Whether all that the console ever printed was read for that.
    pub console_whole: bool,
    /// The last line of the console.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_line: String,
    /// What came of a line end that was typed on the console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<Answer>,
    /// What came of a ping of the guest agent, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Answer>,
    /// What could not be gathered, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// Whether QEMU answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It does.
    Answers,
    /// Its process lives, and it does not.
    Silent,
}

/// How a QEMU process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// In words.
    pub how: String,
    /// Its exit status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that killed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why it said that it shuts down, in QMP's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Failure {
    /// The failure that a verdict is.
    pub fn of(verdict: &Finished, phase: Phase) -> Self {
        Self {
            outcome: verdict.outcome,
            phase,
            kind: verdict.kind.clone(),
            message: verdict.message.clone(),
            contexts: verdict.contexts.clone(),
        }
    }

    /// The kind of error in the library's words, if it is one.
    pub fn error_kind(&self) -> Option<ErrorKind> {
        serde_json::from_value(self.kind.clone()?.into()).ok()
    }
}

impl Machine {
    /// Its first processor in this state.
    pub(super) fn vcpu(&self, state: VcpuState) -> Option<&Vcpu> {
        self.vcpus.iter().find(|vcpu| vcpu.state() == state)
    }

    /// Whether the guest answers, as far as it was asked.
    pub(super) fn answers(&self) -> Option<bool> {
        let asked: Vec<Answer> = [self.console, self.agent].into_iter().flatten().collect();
        (!asked.is_empty()).then(|| asked.contains(&Answer::Answers))
    }
}
