//! Suspend the guest to memory (S3), wake it up, and find it as it was.
//!
//! `suspend_timeout`: how long it may take to fall asleep, and to wake up (default 60 s).

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_suspend(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration_or("suspend_timeout", Duration::from_secs(60))?;
    let mut session = vm.wait_for_login(params.get_duration("login_timeout")?)?;
    if !vm.can_suspend_to_ram(&mut session)? {
        test.skip("the guest cannot suspend to memory")?;
    }

    let sleeper = session.cmd("sleep 1000 > /dev/null & echo $!")?;
    vm.suspend_to_ram(&mut session, timeout)?;
    test.log("it sleeps");
    vm.wake(timeout)?;
    session.read_up_to_prompt_timeout(timeout)?;
    test.log("it is awake");
    if session.cmd_status_timeout(&format!("kill {sleeper}"), timeout)? != 0 {
        test.fail("what ran before it slept does not run any more")?;
    }
    session.close();
    Ok(())
}
