//! Each machine is ended or kept, as its params say.

use std::time::Duration;

use kvmtest::vm::{GuestUse, Vm};
use kvmtest::{Context, Error, Params, Result};

use crate::around::Around;
use crate::film;

/// Refuses what cannot be understood of any machine.
pub(super) fn check(params: &Params) -> Result<()> {
    params
        .objects("vms")
        .into_iter()
        .try_for_each(|name| Wish::of(&params.object_params(name)).map(drop))
}

/// Takes care of all machines, those that the test made itself as well, whatever happens with one
/// of them; the first error is given back.
pub(super) fn clean(around: &mut Around) -> Result<()> {
    let mut first: Option<Error> = None;
    for vm in around.env.get_all_vms()? {
        let own = around.params.object_params(vm.name());
        let done = clean_vm(around, &vm, own)
            .with_context(|| format!("cleaning up the VM `{}`", vm.name()));
        match done {
            Err(error) if first.is_none() => first = Some(error),
            Err(error) => around.warn(error.to_string()),
            Ok(()) => {}
        }
    }
    first.map_or(Ok(()), Err)
}

fn clean_vm(around: &mut Around, vm: &Vm, params: Params) -> Result<()> {
    if vm.is_dead()? {
        return vm.destroy(false);
    }
    film::snap(around, vm, "post");
    let wish = match Wish::of(&params) {
        Ok(wish) => wish,
        Err(error) => {
            // Nobody can want to keep what nobody can describe.
            vm.destroy(false)?;
            return Err(error);
        }
    };
    if wish.kill {
        if around.failed {
            // How it is ended may be said otherwise for a failed test, as all else.
            vm.set_params(params);
        }
        if !wish.patience.is_zero() {
            // It may end by itself; if it does not, it is ended.
            let _ = vm.wait_for_shutdown(wish.patience);
        }
        return vm.destroy(wish.gracefully);
    }
    if !vm.is_alive() {
        vm.destroy(false)?;
        around.warn(format!("destroyed the VM `{}`, which no longer answered", vm.name()));
        return Ok(());
    }
    vm.keep_logs();
    // A test that failed may have been in the middle of anything. And a machine that has moved
    // meanwhile is another one than that which the test was given.
    if around.failed || GuestUse::of(&params)? != GuestUse::Clean {
        vm.soil()?;
    }
    if around.failed {
        let name = vm.name();
        around.log(format!(
            "the VM `{name}` lives on: `kvmtest console {name}`, `kvmtest monitor {name}`; its \
             command line is in qemu-{name}.sh"
        ));
    }
    Ok(())
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
