//! Stop the machine in the middle of something: its guest does not go on, its monitor says that it
//! is paused, and what is saved of it twice is the same machine.

use kvmtest::prelude::*;
use kvmtest::vm::SaveOptions;

/// Runs the subtest.
pub fn run_vmstop(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let mut session = vm.wait_for_login(timeout)?;
    session.cmd("(while :; do echo $((n += 1)) >/tmp/count; done) &")?;

    vm.pause()?;
    let status = vm.monitor()?.status()?;
    if status != "paused" {
        test.fail(format!("the machine was stopped, and says that it is {status}"))?;
    }
    if session.cmd_timeout("echo lives", Duration::from_secs(2)).is_ok() {
        test.fail("the guest goes on, although its machine was stopped")?;
    }
    session.close();
    drop(session);

    // The second save is one of the machine that was made of the first.
    let paths = ["first", "second"].map(|name| test.scratch_dir().join(name));
    let mut counts = Vec::new();
    for path in &paths {
        vm.save_to_file(path, SaveOptions::default())?;
        vm.restore_from_file(path)?;
        let status = vm.monitor()?.status()?;
        if status == "running" {
            test.fail("the machine was saved while it was stopped, and runs")?;
        }
        counts.push(vm.send_monitor_cmd("info registers")?);
    }
    if counts[0] != counts[1] {
        test.fail("the processor is not as it was saved")?;
    }

    vm.resume()?;
    let mut session = vm.wait_for_login(timeout)?;
    let count = |session: &mut Session| session.cmd("cat /tmp/count");
    let before = count(&mut session)?;
    session.cmd("sleep 1")?;
    if before == count(&mut session)? {
        test.fail("what ran in the guest did not go on")?;
    }
    session.cmd("kill $!")?;
    Ok(())
}
