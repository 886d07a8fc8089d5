//! What becomes of the machines of a test that failed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use kvmtest::env::{Env, Face};
use kvmtest::vm::Vm;
use kvmtest::{Params, Result};

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

type Enter = dyn FnMut(&Vm) -> Result<()> + Send;

impl Shell {
    /// One that lets a person in by `enter`: for one machine at a time, whatever the number of
    /// workers.
    pub fn new(enter: impl FnMut(&Vm) -> Result<()> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(enter)))
    }

    fn enter(&self, vm: &Vm) -> Result<()> {
        // Whoever panicked in there has left the terminal to the next one.
        let mut enter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        enter(vm)
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
    /// up after. Gives back the commands that lead into those that stay.
    pub fn hold(&self, params: &Params, places: &Places) -> Vec<String> {
        let held = self.try_hold(params, places);
        held.unwrap_or_else(|error| {
            tracing::warn!("the machines of a test that failed: {error}");
            Vec::new()
        })
    }

    fn try_hold(&self, params: &Params, places: &Places) -> Result<Vec<String>> {
        let env = Env::open(&places.env)?.with_face(Face::Harness).with_log_dir(&places.results);
        let living = || -> Result<Vec<Vm>> {
            let vms = env.get_all_vms()?.into_iter();
            Ok(vms.filter(|vm| matches!(vm.is_dead(), Ok(false))).collect())
        };
        match self {
            Self::Kill => Ok(staying(&living()?, params, &places.env)),
            Self::Keep => keep(&env, living()?),
            Self::Shell(shell) => {
                let vms = living()?;
                let main = params.find("main_vm");
                if let Some(vm) = vms.iter().find(|vm| Some(vm.name()) == main).or(vms.first()) {
                    shell.enter(vm)?;
                }
                Ok(staying(&living()?, params, &places.env))
            }
        }
    }
}

/// Moves the machines into an env file of their own, where no other test finds them.
fn keep(env: &Env, vms: Vec<Vm>) -> Result<Vec<String>> {
    if vms.is_empty() {
        return Ok(Vec::new());
    }
    let kept = kvmtest::env::keep()?;
    let mut attach = Vec::new();
    for vm in vms {
        vm.keep_logs();
        vm.move_to(env, &kept)?;
        attach.extend(ways_into(&vm, kept.path()));
    }
    Ok(attach)
}

/// The ways into the machines that cleaning up leaves alive.
fn staying(vms: &[Vm], params: &Params, env: &Utf8Path) -> Vec<String> {
    let after = params.object_params("on_error");
    vms.iter()
        .filter(|vm| {
            let own = after.object_params(vm.name());
            matches!(own.get_bool_or("kill_vm", true), Ok(false))
        })
        .flat_map(|vm| ways_into(vm, env))
        .collect()
}

fn ways_into(vm: &Vm, env: &Utf8Path) -> Vec<String> {
    let (name, env) = (vm.name(), env.file_stem().unwrap_or("default"));
    let Some(record) = vm.record() else { return Vec::new() };
    let mut ways = Vec::new();
    if !record.line.serials.is_empty() {
        ways.push(format!("kvmtest console --env {env} {name}"));
    }
    if record.line.redirs.iter().any(|redir| redir.guest_port == 22) {
        ways.push(format!("kvmtest ssh --env {env} {name}"));
    }
    ways.push(format!("kvmtest monitor --env {env} {name}"));
    ways
}
