//! A machine is started, reused or left as it is.

use kvmtest::vm::Vm;
use kvmtest::{Params, Result};

use super::lifetime::Wish;
use crate::around::Around;

/// Brings the machine into the state that [`Wish`] says.
pub(super) fn prepare(around: &mut Around, vm: &Vm, params: &Params) -> Result<()> {
    match Wish::of(params)? {
        Wish::Anew => vm.create(),
        Wish::Incoming(address) => {
            let mut params = params.clone();
            params.set("incoming", address);
            vm.set_params(params);
            vm.create()
        }
        Wish::Nothing => Ok(()),
        Wish::Alive => match why_not(vm)? {
            None => reuse(around, vm),
            Some(why) => {
                around.log(format!("starting the VM `{}`: {why}", vm.name()));
                vm.create()
            }
        },
    }
}

/// Why the machine cannot be used as it is.
fn why_not(vm: &Vm) -> Result<Option<&'static str>> {
    if vm.is_dead()? {
        return Ok(Some("it is not there"));
    }
    if !vm.is_alive() {
        return Ok(Some("it does not answer"));
    }
    if vm.monitor()?.status()? == "guest-panicked" {
        return Ok(Some("its guest has panicked"));
    }
    if vm.needs_restart()? {
        return Ok(Some("this test's params make another machine"));
    }
    Ok(None)
}

fn reuse(around: &mut Around, vm: &Vm) -> Result<()> {
    around.log(format!("reusing the VM `{}`", vm.name()));
    vm.hold(&around.holder)?;
    vm.start_logs()?;
    // What processes share of a machine includes its params.
    around.env.register_vm(vm)
}
