//! Power the guest off, by a command of its own or by the power button.
//!
//! `shutdown_method`: `shell` (the guest's `shutdown_command`) or `system_powerdown` (the button).
//! `shutdown_timeout`: how long the guest has to be off (default 120 s).

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_shutdown(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration_or("shutdown_timeout", Duration::from_secs(120))?;
    let mut session = vm.wait_for_login(params.get_duration("login_timeout")?)?;

    match params.get_choice("shutdown_method", &["shell", "system_powerdown"])? {
        "shell" => session.sendline(params.get("shutdown_command")?)?,
        _ => vm.system_powerdown()?,
    }
    test.log("waiting for the machine to be off");
    vm.wait_for_shutdown(timeout)
}
