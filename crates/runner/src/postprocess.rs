//! Leaves the machines of a test as its params say, and their logs in the results.

use std::time::Duration;

use kvmtest::env::Env;
use kvmtest::vm::Vm;
use kvmtest::{Context, Error, Params, Result};

/// Cleans up after a test. All machines are taken care of, whatever happens with one of them; the
/// first error is given back.
pub(crate) fn clean(params: &Params, env: &Env) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let mut first_error: Option<Error> = None;
    for vm in env.get_all_vms()? {
        let own = params.object_params(vm.name());
        let done =
            clean_vm(&vm, &own).with_context(|| format!("cleaning up the VM `{}`", vm.name()));
        match done {
            Ok(warning) => warnings.extend(warning),
            Err(error) if first_error.is_none() => first_error = Some(error),
            Err(error) => warnings.push(error.to_string()),
        }
    }
    first_error.map_or(Ok(warnings), Err)
}

/// Lets go of what lives after the last test: from here on it stays for its lease's time. What
/// died is removed.
pub(crate) fn hand_over(env: &Env) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    env.forget_dead()?;
    for vm in env.get_all_vms()? {
        if let Err(error) = vm.release() {
            warnings.push(format!("ending the VM `{}`: {error}", vm.name()));
            vm.destroy(false)?;
        }
    }
    Ok(warnings)
}

fn clean_vm(vm: &Vm, params: &Params) -> Result<Option<String>> {
    if vm.is_dead()? {
        return vm.destroy(false).map(|()| None);
    }
    let wish = match Wish::of(params) {
        Ok(wish) => wish,
        Err(error) => {
            // Nobody can want to keep what nobody can describe.
            vm.destroy(false)?;
            return Err(error);
        }
    };
    if wish.kill {
        if !wish.patience.is_zero() {
            // It may end by itself; if it does not, it is ended.
            let _ = vm.wait_for_shutdown(wish.patience);
        }
        return vm.destroy(wish.gracefully).map(|()| None);
    }
    if !vm.is_alive() {
        vm.destroy(false)?;
        return Ok(Some(format!("destroyed the VM `{}`, which no longer answered", vm.name())));
    }
    vm.keep_logs();
    Ok(None)
}

/// Refuses what cannot be understood of what is to be done afterwards; asked before anything is
/// started.
pub(crate) fn check(params: &Params) -> Result<()> {
    Wish::of(params).map(drop)
}

/// What the params want to be done with a machine that lives.
struct Wish {
    kill: bool,
    gracefully: bool,
    patience: Duration,
}

impl Wish {
    fn of(params: &Params) -> Result<Self> {
        Ok(Self {
            kill: params.get_bool_or("kill_vm", true)?,
            gracefully: params.get_bool_or("kill_vm_gracefully", true)?,
            patience: params.get_duration_or("kill_vm_timeout", Duration::ZERO)?,
        })
    }
}
