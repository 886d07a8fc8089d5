//! Machines that an earlier test left and this one does not name.

use kvmtest::{Context, Result};

use crate::around::Around;

pub(super) fn end(around: &mut Around) -> Result<()> {
    around.env.forget_dead()?;
    for vm in around.env.get_all_vms()? {
        if !around.params.objects("vms").contains(&vm.name()) {
            around.log(format!("ending the VM `{}`, which this test does not name", vm.name()));
            vm.destroy(false).with_context(|| format!("ending the VM `{}`", vm.name()))?;
        }
    }
    Ok(())
}
