//! The thread that watches: one wait for everything that can happen to the machines of a test.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use kvmtest::changes::{Changes, WatchFlags};
use kvmtest::env::{Env, Face};
use kvmtest::guest::sign::Action;
use kvmtest::vm::Vm;
use kvmtest::{Deadline, Params, Result, wait};
use rustix::event::PollFlags;

use super::finding::Finding;
use super::machine::{Machine, State};

/// How long the last look at everything may take.
const LAST_LOOK: Duration = Duration::from_secs(2);
const FOREVER: Duration = Duration::MAX;

pub(super) type Sink = Box<dyn FnMut(&Finding) + Send>;

/// What the thread works on.
pub(super) struct Watching {
    path: Utf8PathBuf,
    env: Env,
    params: Params,
    stop: Arc<OwnedFd>,
    /// Tells of changes beside the env file.
    changes: Changes,
    machines: BTreeMap<String, Machine>,
    /// The instances that the env file knows.
    known: Vec<String>,
    /// Machines of which nothing more is to be said, by their instances.
    over: Vec<String>,
    found: Vec<Finding>,
    told: usize,
    sink: Sink,
}

impl Watching {
    pub(super) fn new(
        env: &Utf8Path,
        results: &Utf8Path,
        params: &Params,
        stop: Arc<OwnedFd>,
        sink: Sink,
    ) -> Result<Self> {
        let changes = Changes::new()?;
        if let Some(directory) = env.parent().filter(|directory| directory.is_dir()) {
            changes.add(directory, WatchFlags::MOVED_TO | WatchFlags::DELETE)?;
        }
        let opened = Env::open(env)?.with_face(Face::Harness).with_log_dir(results);
        let watching = Self {
            path: env.to_owned(),
            env: opened.with_params(params),
            params: params.clone(),
            stop,
            changes,
            machines: BTreeMap::new(),
            known: Vec::new(),
            over: Vec::new(),
            found: Vec::new(),
            told: 0,
            sink,
        };
        // A machine that is reused may have been meant to reboot by the test before.
        for vm in watching.env.get_all_vms()? {
            vm.expect_nothing();
        }
        Ok(watching)
    }

    pub(super) fn run(mut self) -> Vec<Finding> {
        let mut env_changed = true;
        loop {
            if env_changed {
                self.look_for_machines();
            }
            let busy = self.look(false);
            self.tell();
            match self.wait(busy) {
                Ok(Wake::Stop) | Err(_) => break,
                Ok(Wake::Look { env }) => env_changed = env,
            }
        }
        self.look_for_machines();
        let deadline = Deadline::after(LAST_LOOK);
        while self.look(false) && !deadline.expired() {}
        self.look(true);
        self.found
    }

    /// Waits until there is something to look at; with `busy`, looks whether there is.
    fn wait(&self, busy: bool) -> Result<Wake> {
        let mut wanted =
            vec![(self.stop.as_fd(), PollFlags::IN), (self.changes.as_fd(), PollFlags::IN)];
        for machine in self.machines.values() {
            wanted.extend(machine.descriptors().into_iter().map(|fd| (fd, PollFlags::IN)));
        }
        let deadlines = self.machines.values().filter_map(Machine::deadline);
        let pause = if busy { Duration::ZERO } else { FOREVER };
        let deadline = deadlines.fold(Deadline::after(pause), |earliest, deadline| {
            earliest.at_most(deadline.remaining())
        });
        let ready = wait::ready_flags(&wanted, deadline)?;
        if !ready[0].is_empty() {
            return Ok(Wake::Stop);
        }
        let env = !ready[1].is_empty() && self.env_has_changed();
        Ok(Wake::Look { env })
    }

    fn env_has_changed(&self) -> bool {
        let mut changed = false;
        self.changes.take(|name| changed |= name.is_none() || name == self.path.file_name());
        changed
    }

    /// Watches the machines that the env file knows and that are new.
    fn look_for_machines(&mut self) {
        // A file that cannot be read for now knows what it knew.
        let Ok(vms) = self.env.get_all_vms() else { return };
        let with_id = |vm: Vm| Some((vm.record()?.instance.id, vm));
        let vms: Vec<(String, Vm)> = vms.into_iter().filter_map(with_id).collect();
        self.known = vms.iter().map(|(id, _)| id.clone()).collect();
        for (id, vm) in vms {
            if self.machines.contains_key(&id) || self.over.contains(&id) {
                continue;
            }
            // A machine that has moved goes on printing to the same log: what was read of it is
            // not read again.
            let ancestors = vm.record().map(|record| record.ancestors).unwrap_or_default();
            let before = self.machines.iter_mut().find(|(id, _)| ancestors.contains(id));
            let console = before.and_then(|(_, machine)| machine.give_console());
            match Machine::new(vm, &self.params, console, &mut self.found) {
                Ok(machine) => {
                    self.machines.insert(id, machine);
                }
                Err(error) => {
                    tracing::warn!("a machine is not watched: {error}");
                    self.over.push(id);
                }
            }
        }
    }

    /// Looks at every machine; tells whether there is more to look at.
    fn look(&mut self, last: bool) -> bool {
        let mut busy = false;
        let Self { known, found, over, .. } = self;
        self.machines.retain(|id, machine| match machine.look(known.contains(id), last, found) {
            State::Quiet => true,
            State::Busy => {
                busy = true;
                true
            }
            State::Over => {
                over.push(id.clone());
                false
            }
        });
        busy
    }

    fn tell(&mut self) {
        for finding in &self.found[self.told..] {
            if finding.action != Action::Ignore {
                (self.sink)(finding);
            }
        }
        self.told = self.found.len();
    }
}

/// Why a wait ended.
enum Wake {
    /// It is to end.
    Stop,
    /// There may be something new; `env`, in the env file, too.
    Look { env: bool },
}
