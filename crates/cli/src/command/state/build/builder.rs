//! Makes states on machines that nobody else knows of.

use std::collections::HashSet;

use kvmtest::env::{self, Face};
use kvmtest::state::{State, Store};
use kvmtest::{Env, Error, ErrorKind, Result, Vm};
use kvmtest_runner::Makers;
use kvmtest_runner::child::Program;
use kvmtest_runner::scratch::{self, Scratch};
use kvmtest_runner::stage::Places;
use serde_json::{Value, json};

use super::machine::{Failed, Machine};
use crate::command::env::clear_up;
use crate::command::state::line;
use crate::terminal::{bytes, duration, note, say};

/// Makes states, each once.
pub(super) struct Builder {
    /// Where the machines live meanwhile: no run finds them there.
    env: Env,
    scratch: Scratch,
    store: Store,
    is_json: bool,
    /// What was tried, by digest, and whether it is there now.
    done: HashSet<String>,
    given_up: HashSet<String>,
    states: Vec<Value>,
    failed: Vec<Failed>,
}

impl Builder {
    pub(super) fn new(is_json: bool) -> Result<Self> {
        clear_up()?;
        let root = scratch::root()?;
        let store = Store::open()?;
        let scratch = Scratch::make(&root)?;
        let env = env::keep()?.with_face(Face::Harness);
        // A subtest in Python that starts a machine anew knows of no other.
        env.set_guard(&Program::current()?.path)?;
        Ok(Self {
            env,
            scratch,
            store,
            is_json,
            done: HashSet::new(),
            given_up: HashSet::new(),
            states: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// Makes what `machine` starts from. Only an interrupt is an error here; any other is kept for
    /// the [end](Self::end).
    pub(super) fn build(&mut self, machine: &Machine) -> Result<()> {
        match self.build_all(machine) {
            Err((_, error)) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err((state, error)) => {
                let short = &machine.test.shortname;
                let error = error.context(format!("making what `{short}` starts from"));
                let test = short.clone();
                self.failed.push(Failed { test, state: Some(state), error });
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Ends what is left, and gives back what has come of it all.
    pub(super) fn end(self) -> Result<(Vec<Value>, Vec<Failed>)> {
        let ended = self.env.get_all_vms()?.iter().try_for_each(|vm| vm.destroy(false));
        self.env.set_holder(None)?;
        self.env.tidy()?;
        env::remove_empty_directories()?;
        ended.map(|()| (self.states, self.failed))
    }

    /// Each state of the chain; the first that cannot be made is told with its name.
    fn build_all(&mut self, machine: &Machine) -> Result<(), (String, Error)> {
        for plan in &machine.chain {
            let built = self.build_one(machine, &plan.name);
            if !built.map_err(|error| (plan.name.clone(), error))? {
                // It was told before.
                return Ok(());
            }
        }
        Ok(())
    }

    /// The state `name` of the machine; says whether it is there.
    fn build_one(&mut self, machine: &Machine, name: &str) -> Result<bool> {
        let places = self.places()?;
        let mut makers = Makers::new(&machine.test, &places);
        let vm = self.vm(machine, name)?;
        let recipe = vm.state_recipe(&makers)?;
        let digest = recipe.digest();
        if self.done.contains(&digest) || self.given_up.contains(&digest) {
            return Ok(self.done.contains(&digest));
        }
        if self.store.find(&recipe)?.is_none() {
            note(line(&format!("{name}: being made ({})", recipe.what())));
        }
        let built = vm.build_state(&mut makers).inspect_err(|_| {
            self.given_up.insert(digest.clone());
        });
        let (state, time) = built?;
        self.tell(&state, recipe.what(), time)?;
        self.done.insert(digest);
        Ok(true)
    }

    fn tell(&mut self, state: &State, what: &str, time: Option<std::time::Duration>) -> Result<()> {
        let entries = self.store.list()?;
        let entry = entries.iter().find(|entry| entry.digest == state.digest());
        let size = entry.map_or(0, |entry| entry.bytes);
        let time = time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self.states.push(json!({
            "name": state.name(),
            "what": what,
            "digest": state.digest(),
            "directory": state.directory(),
            "bytes": size,
            "made_ms": time,
        }));
        if !self.is_json {
            let how =
                time.map_or("was there".to_owned(), |time| format!("made in {}", duration(time)));
            let digits = state.digest().get(..12).unwrap_or(state.digest());
            say(line(&format!("{} {digits}: {how}, {}", state.name(), bytes(size))));
        }
        Ok(())
    }

    /// The machine, as it is for the state `name`.
    fn vm(&self, machine: &Machine, name: &str) -> Result<Vm> {
        let env = self.env.clone().with_params(&machine.test.params);
        let vm = env.define_vm(&machine.name)?;
        let mut params = vm.params();
        params.set("vm_state", name);
        vm.set_params(params);
        Ok(vm)
    }

    fn places(&self) -> Result<Places> {
        let scratch = self
            .scratch
            .path()
            .ok_or_else(|| Error::new(ErrorKind::Host, "the path of the cache is no UTF-8"))?;
        let results = scratch.join("results");
        std::fs::create_dir_all(&results)?;
        Ok(Places { results, scratch: scratch.to_owned(), env: self.env.path().to_owned() })
    }
}
