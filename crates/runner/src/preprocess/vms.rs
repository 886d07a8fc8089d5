//! The machines of the test, with their images.

use kvmtest::guest::Refresh;
use kvmtest::vm::{MigrateOptions, Vm};
use kvmtest::{Context, Params, Result};

use super::{image, lifetime, vm};
use crate::around::Around;

/// Refuses what cannot be understood of any machine.
pub(super) fn check(params: &Params) -> Result<()> {
    for name in params.objects("vms") {
        let own = params.object_params(name);
        lifetime::Wish::of(&own).with_context(|| format!("planning the VM `{name}`"))?;
        image::check(&own)?;
        // Read only by who moves the machine, starts it from a state, or lets go of it: what it
        // means is clear before.
        MigrateOptions::from_params(&own)?;
        Refresh::of(&own)?;
        if own.find_nonempty("vm_lease").is_some() {
            own.get_duration("vm_lease")?;
        }
    }
    Ok(())
}

/// For each machine: its images, then itself, then its screen.
pub(super) fn prepare(around: &mut Around) -> Result<()> {
    let params = around.params.clone();
    for name in params.objects("vms") {
        let own = params.object_params(name);
        let machine = match around.env.get_vm(name)? {
            Some(machine) => machine,
            None => around.env.define_vm(name)?,
        };
        machine.set_params(own.clone());
        image::prepare_all(around, &machine, &own)
            .with_context(|| format!("preparing the images of the VM `{name}`"))?;
        vm::prepare(around, &machine, &own)?;
        look(around, &machine);
    }
    Ok(())
}

/// Keeps the screen as the test finds it.
fn look(around: &mut Around, machine: &Vm) {
    crate::film::snap(around, machine, "pre");
}
