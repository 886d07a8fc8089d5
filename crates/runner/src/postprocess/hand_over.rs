//! After the last test.

use kvmtest::Result;
use kvmtest::env::Env;

/// Lets go of what lives after the last test: from here on it stays for its lease's time. What
/// died is removed.
pub(crate) fn hand_over(env: &Env) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    env.forget_dead()?;
    for vm in env.get_all_vms()? {
        if let Err(error) = vm.release() {
            warnings.push(format!("ending the VM `{}`: {error}", vm.name()));
            vm.destroy(false)?;
        }
    }
    Ok(warnings)
}
