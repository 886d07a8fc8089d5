//! Watches the machines of a test while it runs: their consoles, the harness's own monitors, their
//! processes.
//!
//! A thread of its own waits for all of them at once. What it finds is told at once, so that a
//! subtest that waits for nothing is stopped, too, and is judged at the end.

mod console;
mod events;
mod finding;
mod machine;
mod verdict;
mod watching;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use camino::Utf8Path;
use kvmtest::guest::sign::{Action, SIGNS, Signs, action};
use kvmtest::{Params, Result};
use rustix::event::{EventfdFlags, eventfd};

pub use finding::Finding;
pub use verdict::with_findings;

use crate::cause::HostFigures;
use watching::Watching;

/// A thread that watches. It ends when this is stopped or dropped.
#[derive(Debug)]
pub struct Watcher {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<Vec<Finding>>>,
    before: HostFigures,
}

/// What was seen while a test ran.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What was found, in the order in which it was.
    pub findings: Vec<Finding>,
    /// The host when the watching began.
    pub before: HostFigures,
}

/// Refuses what cannot be understood of the keys of `params` that say what is watched.
pub fn check(params: &Params) -> Result<()> {
    params.get_bool_or("watch", true)?;
    let of_vms = params.objects("vms").into_iter().map(|name| params.object_params(name));
    for own in of_vms.chain([params.clone()]) {
        Signs::of(&own)?;
        for sign in SIGNS {
            action(&own, sign.name, sign.action)?;
        }
    }
    Ok(())
}

/// Begins to watch the machines of the env file `env`, also those that are yet to be started.
/// What their monitors say is kept in `results`. `sink` is called from a thread of the watcher's
/// own, once for each sign of each machine.
///
/// With `watch = no`, nothing is watched, and the host's figures alone are noted.
pub fn start(
    env: &Utf8Path,
    results: &Utf8Path,
    params: &Params,
    sink: impl FnMut(&Finding) + Send + 'static,
) -> Result<Watcher> {
    check(params)?;
    let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let thread = if params.get_bool_or("watch", true)? {
        let watching = Watching::new(env, results, params, Arc::clone(&stop), Box::new(sink))?;
        let builder = std::thread::Builder::new().name("watcher".into());
        Some(builder.spawn(move || watching.run())?)
    } else {
        None
    };
    Ok(Watcher { stop, thread, before: HostFigures::now() })
}

impl Watcher {
    /// Ends the watching and gives back what was found. What the machines have said so far is
    /// looked at first, for a few seconds at most.
    pub fn stop(mut self) -> Seen {
        self.ask();
        // A watcher that panicked has found nothing that could be told.
        let findings = self.thread.take().and_then(|thread| thread.join().ok());
        Seen { findings: findings.unwrap_or_default(), before: self.before.clone() }
    }

    fn ask(&self) {
        // Only a full counter refuses, and that is as readable as any other.
        let _ = rustix::io::write(&self.stop, &1u64.to_ne_bytes());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.ask();
    }
}

impl Seen {
    /// The first finding that fails a test.
    pub fn failure(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.action == Action::Fail)
    }
}
