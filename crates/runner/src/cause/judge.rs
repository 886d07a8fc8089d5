//! Judges a test when its subtest has ended, before anything is cleaned up.

use kvmtest::Params;
use kvmtest::env::{Env, Face};

use super::evidence::Failure;
use super::files::{self, Kept};
use super::gather::{Question, gather};
use super::host::HostFigures;
use super::table::cause;
use crate::child::protocol::Finished;
use crate::event::{Cause, Phase};
use crate::outcome::Outcome;
use crate::stage::Places;
use crate::watch::{Finding, Seen, Watcher, with_findings};

/// A test whose subtest has ended, or could not be started.
#[derive(Debug)]
pub struct Case {
    /// How it ended, by its own words.
    pub verdict: Finished,
    /// The phase that ended so.
    pub phase: Phase,
    /// Whether it was stopped for what was found on a machine.
    pub stopped: bool,
    /// What watched it, if it ran.
    pub watcher: Option<Watcher>,
}

/// What is known of a test once it has been judged.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// How it ended, with all that is known.
    pub verdict: Finished,
    /// Why it failed, and what shows that.
    pub cause: Option<(Cause, String)>,
    /// What was found on its machines.
    pub findings: Vec<Finding>,
    /// What a person is shown first.
    pub kept: Kept,
}

impl Case {
    /// Ends the watching, and where the test failed, gathers evidence and finds the cause. This
    /// takes a few seconds at most, and does not fail: what cannot be had is left out.
    pub fn judge(self, places: &Places, params: &Params) -> Judgement {
        // Guests go on, and whoever gathers evidence speaks to them: first what they had said.
        let early = self.verdict.outcome.is_failure().then(|| keep(places, params));
        let nothing = || Seen { findings: Vec::new(), before: HostFigures::now() };
        let seen = self.watcher.map_or_else(nothing, Watcher::stop);
        let verdict = with_findings(self.verdict, self.stopped, &seen.findings);
        if !matches!(verdict.outcome, Outcome::Fail | Outcome::Error) {
            let kept = early.unwrap_or_default();
            return Judgement { verdict, cause: None, findings: seen.findings, kept };
        }
        let kept = early.unwrap_or_else(|| keep(places, params));
        let failure = Failure::of(&verdict, self.phase);
        let question = Question { places, params, failure: &failure, seen: &seen };
        let evidence = gather(&question);
        Judgement { verdict, cause: Some(cause(&evidence)), findings: seen.findings, kept }
    }
}

fn keep(places: &Places, params: &Params) -> Kept {
    Env::open(&places.env)
        .map(|env| env.with_face(Face::Harness).with_log_dir(&places.results))
        .and_then(|env| env.get_all_vms())
        .map(|vms| files::keep(&places.results, &vms, params.find("main_vm")))
        .unwrap_or_default()
}
