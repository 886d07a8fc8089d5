//! Migrate the machine while a command runs in its guest: the command goes on, and another one
//! prints afterwards what it printed before.
//!
//! `migration_protocol`: `tcp`, `unix`, `exec`, `fd`, `file` (QEMU 8.2). `mig_offline = yes` stops
//! the guest meanwhile. `mig_cancel = yes` cancels: the machine then has to go on where it was.
//! `migration_test_command`: what is compared. `migration_bg_command`, `migration_bg_check_command`
//! and `migration_bg_kill_command`: what runs, how to see that it does, and what ends it.

use kvmtest::prelude::*;
use kvmtest::vm::MigrateOptions;

/// Runs the subtest.
pub fn run_migration(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let mut session = vm.wait_for_login(params.get_duration("login_timeout")?)?;
    let compared = params.get_or("migration_test_command", "uname -a; cat /proc/sys/kernel/random/boot_id");
    let running = params.get_or("migration_bg_command", "while :; do sleep 1; done &");
    let check = params.get_or("migration_bg_check_command", "kill -0 $!");
    let end = params.get_or("migration_bg_kill_command", "kill $!");
    let options = MigrateOptions::from_params(params)?;

    let before = session.cmd(compared)?;
    session.cmd(running)?;
    session.cmd(check).context("before the migration")?;
    let pid = vm.get_pid()?;

    match (vm.migrate(&options), options.cancel_after) {
        (Ok(figures), None) => {
            test.log(format!("migrated: {figures}"));
            test.write_keyval("downtime_ms", figures.downtime.map_or(0, |time| time.as_millis()).to_string());
            if vm.get_pid()? == pid {
                test.fail("the machine is where it was")?;
            }
        }
        (Ok(_), Some(_)) => test.error("it was over before it could be cancelled")?,
        (Err(error), Some(_)) if error.kind() == ErrorKind::MigrateCancelled => {
            if vm.get_pid()? != pid {
                test.fail("the machine moved, although the migration was cancelled")?;
            }
        }
        (Err(error), _) => return Err(error),
    }

    session.cmd(check).context("the command did not survive the migration")?;
    let after = session.cmd(compared)?;
    if before != after {
        test.fail(format!("`{compared}` printed `{before}` before, and `{after}` after"))?;
    }
    session.cmd(end)?;
    Ok(())
}
