//! What becomes of the machines of a test that failed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use kvmtest::env::{self, Env, Face};
use kvmtest::vm::Vm;
use kvmtest::{Params, Result};

use crate::event::Survivor;
use crate::stage::Places;

/// What becomes of the machines of a test that failed.
#[derive(Clone, Default)]
pub enum OnFail {
    /// What the params say: `kill_vm_on_error`.
    #[default]
    Kill,
    /// They stay beyond the run, for as long as `vm_lease` says; the next test gets others.
    Keep,
    /// This is called with the machine that is most worth a look, and the run goes on when it
    /// comes back; then as with `Kill`.
    Shell(Shell),
}

/// Lets a person into a machine.
#[derive(Clone)]
pub struct Shell(Arc<Mutex<Enter>>);

type Enter = dyn FnMut(&Vm, &[Survivor]) -> Result<()> + Send;

/// What became of the machines of a test that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Those that live on after it.
    pub survivors: Vec<Survivor>,
    /// The names of those that lived, and are ended now, though they could have been kept.
    pub ended: Vec<String>,
}

impl Shell {
    /// One that lets a person in by `enter`, for one machine at a time. It gets the machine, and
    /// all of the test that live with the ways into them; it has to wait through `kvmtest::wait`,
    /// so that it comes back when the run is to end.
    pub fn new(enter: impl FnMut(&Vm, &[Survivor]) -> Result<()> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(enter)))
    }

    fn enter(&self, vm: &Vm, all: &[Survivor]) -> Result<()> {
        // Whoever panicked in there has left the terminal to the next one.
        let mut enter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        enter(vm, all)
    }
}

impl fmt::Debug for OnFail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "Kill",
            Self::Keep => "Keep",
            Self::Shell(_) => "Shell",
        })
    }
}

impl OnFail {
    /// Does to the living machines of a test that failed what is to be done before it is cleaned
    /// up after. `ask` is called before a person is let into a machine, with its name; what it
    /// gives back lasts for as long as they are inside, and nothing keeps them out.
    pub fn hold<T>(
        &self,
        params: &Params,
        places: &Places,
        ask: impl FnOnce(&str) -> Option<T>,
    ) -> Held {
        let held = self.try_hold(params, places, ask);
        held.unwrap_or_else(|error| {
            tracing::warn!("the machines of a test that failed: {error}");
            Held::default()
        })
    }

    fn try_hold<T>(
        &self,
        params: &Params,
        places: &Places,
        ask: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Held> {
        let env = Env::open(&places.env)?.with_face(Face::Harness).with_log_dir(&places.results);
        let living = || -> Result<Vec<Vm>> {
            let vms = env.get_all_vms()?.into_iter();
            Ok(vms.filter(|vm| matches!(vm.is_dead(), Ok(false))).collect())
        };
        match self {
            Self::Kill => {
                let (stay, go): (Vec<Vm>, Vec<Vm>) =
                    living()?.into_iter().partition(|vm| stays(vm, params));
                let ended = go.iter().map(|vm| vm.name().to_owned()).collect();
                Ok(Held { survivors: survivors(&stay, &places.env), ended })
            }
            Self::Keep => Ok(Held { survivors: keep(&env, living()?)?, ended: Vec::new() }),
            Self::Shell(shell) => {
                let vms = living()?;
                let main = params.find("main_vm");
                if let Some(vm) = vms.iter().find(|vm| Some(vm.name()) == main).or(vms.first())
                    && let Some(inside) = ask(vm.name())
                {
                    let entered = shell.enter(vm, &survivors(&vms, &places.env));
                    drop(inside);
                    if let Err(error) = entered {
                        tracing::warn!("the machine {}: {error}", vm.name());
                    }
                }
                let stay: Vec<Vm> = living()?.into_iter().filter(|vm| stays(vm, params)).collect();
                Ok(Held { survivors: survivors(&stay, &places.env), ended: Vec::new() })
            }
        }
    }
}

impl Survivor {
    /// Whether it is still that machine, and lives. Who cannot know it says no.
    pub fn lives(&self) -> bool {
        // A file that the events name may be anything, but for those that are known here.
        let known = env::files().is_ok_and(|files| files.contains(&self.env));
        let vm = || Env::open(&self.env)?.with_face(Face::Harness).get_vm(&self.vm);
        let is_it = |vm: &Vm| vm.record().is_some_and(|it| it.instance.id == self.instance);
        known
            && vm().is_ok_and(|vm| {
                vm.is_some_and(|vm| is_it(&vm) && matches!(vm.is_dead(), Ok(false)))
            })
    }
}

/// Moves the machines into an env file of their own, where no other test finds them.
fn keep(env: &Env, vms: Vec<Vm>) -> Result<Vec<Survivor>> {
    if vms.is_empty() {
        return Ok(Vec::new());
    }
    let kept = env::keep()?;
    let mut moved = Vec::new();
    for vm in vms {
        vm.keep_logs();
        match vm.move_to(env, &kept) {
            Ok(()) => moved.push(vm),
            // Of the others it is to be told all the same.
            Err(error) => tracing::warn!("the machine {} is not kept: {error}", vm.name()),
        }
    }
    // They are nobody's now, and the file goes with the last of them.
    kept.set_holder(None)?;
    kept.tidy()?;
    Ok(survivors(&moved, kept.path()))
}

/// Whether cleaning up leaves it alive.
fn stays(vm: &Vm, params: &Params) -> bool {
    let own = params.object_params("on_error").object_params(vm.name());
    matches!(own.get_bool_or("kill_vm", true), Ok(false))
}

/// The machines with the ways into them, as they are known in the env file `env`.
fn survivors(vms: &[Vm], env: &Utf8Path) -> Vec<Survivor> {
    let survivor = |vm: &Vm| {
        let record = vm.record()?;
        let (name, short) = (vm.name(), env.file_stem().unwrap_or("default"));
        let mut attach = Vec::new();
        if !record.line.serials.is_empty() {
            attach.push(format!("kvmtest console --env {short} {name}"));
        }
        if record.line.redirs.iter().any(|redir| redir.guest_port == 22) {
            attach.push(format!("kvmtest ssh --env {short} {name}"));
        }
        attach.push(format!("kvmtest monitor --env {short} {name}"));
        let (vm, env) = (name.to_owned(), env.to_owned());
        Some(Survivor { vm, env, instance: record.instance.id, attach })
    };
    vms.iter().filter_map(survivor).collect()
}
