//! `kill_unresponsive_vms`: what is kept for the next test is of use to it.

use std::time::Duration;

use kvmtest::vm::Vm;
use kvmtest::{ErrorKind, Params, Result};

use crate::around::Around;

/// How long a login may take.
const LOGIN: Duration = Duration::from_secs(10);

pub(super) fn check(params: &Params) -> Result<()> {
    params.get_bool_or("kill_unresponsive_vms", false).map(drop)
}

/// Destroys each living machine that nobody can log in to.
pub(super) fn end(around: &mut Around) -> Result<()> {
    if !around.params.get_bool_or("kill_unresponsive_vms", false)? {
        return Ok(());
    }
    for vm in around.env.get_all_vms()? {
        if vm.is_dead()? {
            continue;
        }
        if let Some(why) = why_not(&vm)? {
            vm.destroy(false)?;
            around.warn(format!("destroyed the VM `{}`: {why}", vm.name()));
        }
    }
    Ok(())
}

/// Why nobody can log in; what costs least is asked first.
fn why_not(vm: &Vm) -> Result<Option<String>> {
    let status = vm.monitor().and_then(|monitor| monitor.status());
    match status.as_deref() {
        Ok("running") => {}
        Ok(status) => return Ok(Some(format!("it does not run (`{status}`)"))),
        Err(error) if error.kind() == ErrorKind::Interrupted => return status.map(Some),
        Err(error) => return Ok(Some(format!("its monitor does not answer: {error}"))),
    }
    // A console on which the kernel has said its last words ends this at once.
    match vm.login(LOGIN) {
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
        Err(error) => Ok(Some(format!("nobody can log in: {error}"))),
    }
}
