//! Gathers evidence, before anything is ended.

use std::time::{Duration, Instant};

use kvmtest::env::{Env, Face};
use kvmtest::vm::Vm;
use kvmtest::{Deadline, Params};

use super::evidence::{Evidence, Failure, Machine, VERSION};
use super::files;
use super::machine::{self, Dumps};
use crate::clock::milliseconds;
use crate::stage::Places;
use crate::watch::Seen;

/// How long the gathering may take for all machines together.
const PATIENCE: Duration = Duration::from_secs(6);

/// What evidence is wanted of.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Where the test's things lie.
    pub places: &'a Places,
    /// Its params.
    pub params: &'a Params,
    /// How it failed.
    pub failure: &'a Failure,
    /// What was seen while it ran.
    pub seen: &'a Seen,
}

/// Gathers what tells why a test failed, and keeps it in the test's results. It takes a few
/// seconds at most, whatever the machines do, and what cannot be had is left out.
pub fn gather(question: &Question<'_>) -> Evidence {
    let start = Instant::now();
    let deadline = Deadline::after(PATIENCE);
    let results = &question.places.results;
    let env = Env::open(&question.places.env)
        .map(|env| env.with_face(Face::Harness).with_log_dir(results).with_params(question.params));
    let vms = env.and_then(|env| env.get_all_vms()).unwrap_or_default();
    // Whoever has seen the guest crash need not speak to it.
    let speak = question.seen.failure().is_none();
    let examined = examine_all(&vms, speak, deadline);
    for (vm, (_, dumps)) in vms.iter().zip(&examined) {
        files::dump(results, vm, dumps);
    }
    let evidence = Evidence {
        version: VERSION,
        failure: question.failure.clone(),
        findings: question.seen.findings.clone(),
        machines: examined.into_iter().map(|(machine, _)| machine).collect(),
        host: question.seen.before.since(),
        took_ms: milliseconds(start.elapsed()),
    };
    files::write(results, &evidence);
    evidence
}

/// Each in a thread of its own, so that one that hangs does not keep the others from being asked.
fn examine_all(vms: &[Vm], speak: bool, deadline: Deadline) -> Vec<(Machine, Dumps)> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = vms
            .iter()
            .map(|vm| scope.spawn(move || machine::examine(vm, speak, deadline)))
            .collect();
        let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        // A thread that panicked has seen nothing; its machine is not the test's fault.
        ended.map(Result::unwrap_or_default).collect()
    })
}
