//! While the guest boots: save it inside its disk image, reset the machine, and go back to what
//! was saved, again and again. It comes up in the end.
//!
//! `savevm_delay` (default 1 s): how long it boots in between. `login_timeout`: how long it has to
//! come up, all of this included.

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_boot_savevm(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let delay = params.get_duration_or("savevm_delay", Duration::from_secs(1))?;
    let deadline = Deadline::after(timeout);

    let mut times = 0;
    let mut session = loop {
        // At once for the first time: some guests boot faster than anybody waits.
        vm.pause()?;
        vm.savevm("boot")?;
        vm.expect_reset()?;
        vm.system_reset()?;
        vm.loadvm("boot")?;
        vm.delvm("boot")?;
        vm.resume()?;
        times += 1;
        match vm.wait_for_serial_login(delay) {
            Ok(session) => break session,
            Err(error) if error.kind() == ErrorKind::LoginTimeout && !deadline.expired() => {}
            Err(error) => return Err(error),
        }
    };
    test.log(format!("saved and loaded {times} times during the boot"));
    session.cmd("uname -a")?;
    Ok(())
}
