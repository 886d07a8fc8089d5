//! Brings the machines of a test into the state that its params ask for.

use kvmtest::env::Env;
use kvmtest::host::ProcessId;
use kvmtest::vm::Vm;
use kvmtest::{Context, Params, Result};

use crate::postprocess;

/// Prepares the machines: what the test does not name is destroyed, what it names is started,
/// reused or restarted by the rules of [`prepare_vm`].
pub(crate) fn prepare(params: &Params, env: &Env, holder: &ProcessId) -> Result<()> {
    let wanted = params.objects("vms");
    for name in &wanted {
        let own = params.object_params(name);
        postprocess::check(&own)?;
        postprocess::check(&own.object_params("on_error"))?;
    }
    env.forget_dead()?;
    for vm in env.get_all_vms()? {
        if !wanted.contains(&vm.name()) {
            tracing::info!("destroying the VM `{}`, which this test does not name", vm.name());
            vm.destroy(false).with_context(|| format!("destroying the VM `{}`", vm.name()))?;
        }
    }
    for name in wanted {
        prepare_vm(name, params, env, holder)?;
    }
    Ok(())
}

/// The first rule that fits decides: `restart_vm = yes` starts the machine anew; `start_vm = yes`
/// starts it if it is dead, does not answer, or would not be the same machine by the params of
/// this test; else it is left as it is, and takes the params of this test.
fn prepare_vm(name: &str, params: &Params, env: &Env, holder: &ProcessId) -> Result<()> {
    let own = params.object_params(name);
    let vm = match env.get_vm(name)? {
        Some(vm) => vm,
        None => env.define_vm(name)?,
    };
    vm.set_params(own.clone());
    if own.get_bool_or("restart_vm", false)?
        || own.get_choice_or("vm_lifetime", LIFETIMES)? == "fresh"
    {
        return vm.create();
    }
    if !own.get_bool_or("start_vm", true)? {
        return Ok(());
    }
    match why_not(&vm)? {
        None => reuse(&vm, env, holder),
        Some(why) => {
            tracing::info!("starting the VM `{name}`: {why}");
            vm.create()
        }
    }
}

/// `living`: kept from test to test, and started anew when something differs. `fresh`: started
/// anew for each test.
const LIFETIMES: &[&str] = &["living", "fresh"];

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

fn reuse(vm: &Vm, env: &Env, holder: &ProcessId) -> Result<()> {
    tracing::info!("reusing the VM `{}`", vm.name());
    vm.hold(holder)?;
    vm.start_logs()?;
    // What processes share of a machine includes its params.
    env.register_vm(vm)
}
