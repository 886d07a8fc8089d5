//! Reboot the guest while the machine is migrated again and again.
//!
//! `migration_protocol`, `mig_timeout` …: as for `migration`. `reboot_method`: `shell` (default) or
//! `system_reset`. `login_timeout`: how long the guest has to come back.

use kvmtest::prelude::*;
use kvmtest::vm::MigrateOptions;

/// Runs the subtest.
pub fn run_migration_with_reboot(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let options = MigrateOptions::from_params(params)?;
    let mut session = vm.wait_for_login(timeout)?;
    let boot = session.cmd("cat /proc/sys/kernel/random/boot_id")?;

    vm.expect_reset()?;
    match params.get_or("reboot_method", "shell") {
        "shell" => session.sendline(params.get("reboot_command")?)?,
        _ => vm.system_reset()?,
    }
    let deadline = Deadline::after(timeout);
    let mut migrations = 0;
    loop {
        vm.migrate(&options)?;
        migrations += 1;
        // The guest boots meanwhile, wherever it is; the same console tells.
        match session.read_until_output_matches(&["login: "], Duration::from_millis(200)) {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::ExpectTimeout && !deadline.expired() => {}
            Err(error) => return Err(error),
        }
    }
    session.close();
    drop(session);
    test.log(format!("migrated {migrations} times during the boot"));

    let mut session = vm.wait_for_login(timeout)?;
    if session.cmd("cat /proc/sys/kernel/random/boot_id")? == boot {
        test.fail("the guest did not boot anew")?;
    }
    Ok(())
}
