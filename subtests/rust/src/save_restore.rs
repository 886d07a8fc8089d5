//! Save the machine in a file, and have it go on from there: what its guest had in memory and on
//! its disk is there again, and what came later is not.
//!
//! `save_compression`: `none` (the default) or `gzip`.

use kvmtest::migration::Compression;
use kvmtest::prelude::*;
use kvmtest::vm::SaveOptions;

/// Runs the subtest.
pub fn run_save_restore(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let mut session = vm.wait_for_login(timeout)?;
    session.cmd("echo saved >/tmp/state; kept=memory")?;

    let path = test.scratch_dir().join("saved");
    let compression = match params.get_choice_or("save_compression", &["none", "gzip"])? {
        "gzip" => Compression::Gzip,
        _ => Compression::None,
    };
    vm.save_to_file(&path, SaveOptions { compression, ..SaveOptions::default() })?;
    let length = std::fs::metadata(&path)?.len();
    test.log(format!("saved in {} MiB", length >> 20));
    session.cmd("echo later >/tmp/state; kept=lost")?;
    session.close();
    drop(session);

    vm.restore_from_file(&path)?;
    let mut session = vm.wait_for_login(timeout)?;
    let state = session.cmd("echo $(cat /tmp/state) $kept")?;
    if state != "saved memory" {
        test.fail(format!("the guest is not as it was saved: `{state}`"))?;
    }
    Ok(())
}
