//! A machine is started from a state instead of being booted; the state is made where it is not
//! there.

mod build;
mod recipe;

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::command::{Layers, MemoryFile, nic_mac};
use super::console::{self, Line};
use super::create::Plan;
use super::incarnation::Incarnation;
use super::{Record, Vm, shared};
use crate::deadline::Deadline;
use crate::doing;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::guest::Refresh;
use crate::migration::{self, Source};
use crate::session::Session;
use crate::state::{self, Origin, Recipe, State, Store, Subtests};
use crate::storage::sparse;

/// How long a state may take to be made, or be waited for where another run makes it:
/// `state_timeout`.
const BUILD: Duration = Duration::from_secs(3600);
/// How large the store may grow: `state_limit`.
const LIMIT: u64 = 10 << 30;
/// How long a state may take to be read.
const LOAD: Duration = Duration::from_secs(120);
/// How many times a state is looked for that others drop from the store meanwhile.
const TRIES: usize = 3;

/// What of a state only those need to know who start from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    /// What the machine's addresses grow from.
    seed: String,
    /// How many layers each drive stands on.
    layers: Layers,
    /// Whether the guest's memory is a file of its own, and not in the saved devices.
    memory: bool,
    /// What waits at the serial console, if a shell does.
    console: Option<Shell>,
}

/// A shell that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Shell {
    /// As in any guest.
    Plain,
    /// In a guest that has a program which waits to be told what it has missed.
    WithRefresh,
}

const MEMORY: &str = "memory";
const DEVICES: &str = "devices";

impl Vm {
    /// Starts the machine from the state that its parameters want (`vm_state`): a guest that has
    /// booted and is logged in, and shares nothing that it writes with anybody. A state that is
    /// not in the store is made first; what was there of the machine before is destroyed.
    ///
    /// When this returns the guest runs, its clock is right, and the env file knows the machine.
    /// A machine that cannot be saved is an error of the kind `MigrateBlocked` that says what of
    /// it stands in the way.
    pub fn create_from_state(&self, subtests: &mut dyn Subtests) -> Result<Origin> {
        let doing = || format!("starting the VM `{}` from a state", self.name());
        let _doing = doing::begin(doing());
        self.destroy(false).with_context(doing)?;
        self.destroy_namesake().with_context(doing)?;
        self.start_from_state(subtests).with_context(doing)
    }

    /// Makes the state that the parameters want, if it is not there. The machine must not run.
    pub fn build_state(&self, subtests: &mut dyn Subtests) -> Result<(State, Option<Duration>)> {
        let plan = self.plan()?;
        let found = self.find_or_build(&plan, subtests)?;
        Ok((found.state, found.built))
    }

    /// What the state that the parameters want is made of, and found by.
    pub fn state_recipe(&self, subtests: &dyn Subtests) -> Result<Recipe> {
        let params = self.params();
        let recipes = self.recipes(&self.plan()?, &state::plans(&params)?, subtests)?;
        recipes.into_iter().next_back().ok_or_else(none_wanted)
    }

    fn start_from_state(&self, subtests: &mut dyn Subtests) -> Result<Origin> {
        let plan = self.plan()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let found = self.find_or_build(&plan, subtests)?;
            let begun = Instant::now();
            let incarnation = Incarnation::booting(self.name())?;
            let revived =
                self.revive(&plan, &found.state, incarnation).inspect_err(|_| self.give_up_now());
            match revived {
                Ok(()) => {
                    let origin = Origin {
                        name: found.state.name().to_owned(),
                        digest: found.state.digest().to_owned(),
                        built: found.built,
                        took: begun.elapsed(),
                    };
                    self.note_origin(&origin)?;
                    return Ok(origin);
                }
                // Somebody has made room in the store, between our two steps.
                Err(error) if error.kind() == ErrorKind::StateGone && tries < TRIES => {}
                Err(error) if error.kind() == ErrorKind::MigrateFailed && tries < 2 => {
                    let name = found.state.name();
                    tracing::warn!("the state `{name}` is dropped and made anew: {error}");
                    Store::open()?.remove(found.state.digest())?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn find_or_build(&self, plan: &Plan, subtests: &mut dyn Subtests) -> Result<state::Found> {
        let params = self.params();
        let plans = state::plans(&params)?;
        let recipes = self.recipes(plan, &plans, subtests)?;
        let limit = match params.find_nonempty("state_limit") {
            Some(_) => params.get_size("state_limit")?,
            None => LIMIT,
        };
        let store = Store::open()?.with_limit(limit);
        let deadline = Deadline::after(params.get_duration_or("state_timeout", BUILD)?);
        self.find_or_build_in(&store, plan, (&plans, &recipes), subtests, deadline)
    }

    /// The last state of `chain`, made from the one before it where it is not there.
    fn find_or_build_in(
        &self,
        store: &Store,
        plan: &Plan,
        (plans, recipes): (&[state::Plan], &[state::Recipe]),
        subtests: &mut dyn Subtests,
        deadline: Deadline,
    ) -> Result<state::Found> {
        let (Some((last, before)), Some((recipe, recipes))) =
            (plans.split_last(), recipes.split_last())
        else {
            return Err(none_wanted());
        };
        if let Some(state) = store.find(recipe)? {
            return Ok(state::Found { state, built: None });
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let parent = if before.is_empty() {
                None
            } else {
                let chain = (before, recipes);
                Some(self.find_or_build_in(store, plan, chain, subtests, deadline)?.state)
            };
            let found = store.find_or_build(recipe, deadline, |draft| {
                tracing::info!("making the state `{}`", last.name);
                let _doing = doing::begin(format!("making the state `{}`", last.name));
                self.build(plan, parent.as_ref(), last, draft, subtests)
                    .inspect_err(|_| self.give_up_now())
                    .with_context(|| format!("making the state `{}`", last.name))
            });
            match found {
                // Somebody has made room in the store, while we waited for our turn.
                Err(error) if error.kind() == ErrorKind::StateGone && tries < TRIES => {}
                found => return found,
            }
        }
    }

    /// Starts `incarnation` from `state`; the guest goes on.
    fn revive(&self, plan: &Plan, state: &State, mut incarnation: Incarnation) -> Result<()> {
        let facts = Facts::of(state)?;
        let scratch = incarnation.instance.scratch.clone();
        let linked = state.link_into(&scratch);
        if let Err(error) = linked {
            incarnation.instance.remove();
            return Err(error);
        }
        incarnation.seed.clone_from(&facts.seed);
        incarnation.layers = Some(facts.layers.clone());
        incarnation.waits = true;
        if facts.memory {
            let share = self.is_forkable()?;
            let path = scratch.join(MEMORY);
            if share {
                // What is written to must be the machine's own, and no link.
                let own = scratch.join("memory.own");
                sparse::copy(&path, &own)
                    .and_then(|()| Ok(std::fs::rename(&own, &path)?))
                    .inspect_err(|_| incarnation.instance.remove())?;
            }
            incarnation.memory = Some(MemoryFile { path, share });
        }
        let instance = incarnation.instance.clone();
        self.begin(plan, &incarnation).inspect_err(|_| instance.remove())?;
        self.load(&facts)
    }

    /// Lets the machine, which waits for it, read its state and go on.
    fn load(&self, facts: &Facts) -> Result<()> {
        let deadline = Deadline::after(LOAD);
        let record = self.running()?;
        let process = record.process.open()?.ok_or_else(|| self.death())?;
        let monitor = self.monitor()?;
        let devices = record.instance.scratch.join(DEVICES);
        let file = File::open(&devices).with_context(|| format!("opening {devices}"))?;
        let settings = shared::settings_to_read(facts.memory);
        let source = Source::Descriptor(file.into());
        let mut incoming = migration::listen(&monitor, source, &settings)?;
        incoming.wait(deadline, process.as_fd()).map_err(|error| self.explain(error))?;
        self.set_up();
        if self.params().get_bool_or("start_paused", false)? {
            return Ok(());
        }
        let talk = facts.console.map(|shell| self.talk(shell)).transpose()?.flatten();
        self.resume()?;
        drop(incoming);
        talk.map_or(Ok(()), |(mut session, refresh)| refresh.run(&mut session, SystemTime::now()))
    }

    /// The shell that waits on the serial console, and what it is to be told that the guest has
    /// missed; that is typed already as far as possible.
    fn talk(&self, shell: Shell) -> Result<Option<(Session, Refresh)>> {
        let params = self.params();
        let mut refresh = Refresh::of(&params)?;
        self.renew_addresses(&mut refresh)?;
        if refresh.is_nothing() {
            return Ok(None);
        }
        let record = self.running()?;
        let line = Line::take(&record);
        let log = self.log_path(&format!("session-{}-serial.log", self.name()));
        let stream = console::connect(&record)?;
        let mut session = Session::over_unix(stream, self.name(), log.as_deref())?;
        for watch in self.watches(Some(line))? {
            session.add_watch(watch);
        }
        session.set_params(&self.login_params("ssh")?);
        if shell == Shell::WithRefresh {
            refresh.by_resident();
        }
        refresh.type_ahead(&mut session, SystemTime::now())?;
        Ok(Some((session, refresh)))
    }

    /// Other MAC addresses than those of all that come from the same state, if they are wanted.
    fn renew_addresses(&self, refresh: &mut Refresh) -> Result<()> {
        if !refresh.wants_new_mac() {
            return Ok(());
        }
        let mut nics = self.running()?.line.nics;
        let id = self.running()?.instance.id;
        for nic in &mut nics {
            let new = nic_mac(&id, &nic.name);
            refresh.replace_mac(&nic.mac, &new)?;
            nic.mac = new;
        }
        self.change_record(|record| record.line.nics.clone_from(&nics))
    }

    /// As the machine's record in the env file says it.
    fn note_origin(&self, origin: &Origin) -> Result<()> {
        self.complete_record(|record| {
            record.state = Some(origin.clone());
            record.up = true;
        })
    }

    /// Changes what there is to know of the machine, here and in the env file.
    pub(super) fn change_record(&self, change: impl Fn(&mut Record)) -> Result<()> {
        self.update_record(change, false)
    }

    /// The same for a machine that is complete now.
    pub(super) fn complete_record(&self, change: impl Fn(&mut Record)) -> Result<()> {
        self.update_record(change, true)
    }

    fn update_record(&self, change: impl Fn(&mut Record), is_complete: bool) -> Result<()> {
        let id = self.running()?.instance.id;
        if let Some(running) = &mut self.state().running {
            change(&mut running.record);
        }
        self.home.file.update(|content| {
            if let Some(record) = content.vms.get_mut(self.name())
                && record.instance.id == id
            {
                change(record);
            }
            if is_complete {
                content.transitions.remove(&id);
            }
        })
    }

    fn give_up_now(&self) {
        if let Err(error) = self.destroy(false) {
            tracing::warn!("{error}");
        }
    }
}

impl Facts {
    fn of(state: &State) -> Result<Self> {
        serde_json::from_value(state.facts().0.clone()).map_err(|error| {
            let message = format!("what is known of the state cannot be read: {error}");
            Error::new(ErrorKind::MigrateFailed, message)
        })
    }
}

fn none_wanted() -> Error {
    Error::new(ErrorKind::Params, "no state is wanted")
}
