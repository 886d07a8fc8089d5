//! Log in; reboot, if `reboot_method` says how, and log in again.
//!
//! `reboot_method`: `shell` (the guest's `reboot_command`) or `system_reset` (the reset button).
//! `login_timeout`: how long the guest has to let somebody in, each time.

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_boot(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let mut session = vm.wait_for_login(timeout)?;

    if let Some(method) = params.find_nonempty("reboot_method") {
        test.log(format!("rebooting by {method}"));
        let before = session.cmd("cat /proc/sys/kernel/random/boot_id")?;
        session = vm.reboot(session, method.parse()?, timeout)?;
        let after = session.cmd("cat /proc/sys/kernel/random/boot_id")?;
        if before == after {
            test.fail(format!("the guest did not boot anew: its boot is still {before}"))?;
        }
    }
    session.close();
    Ok(())
}
