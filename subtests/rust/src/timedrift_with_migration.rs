//! How far the guest's clock is off the host's after each of some migrations.
//!
//! `migration_iterations` (default 3): how many. `drift_threshold_single` (default 3 s): how far it
//! may get off by one; `drift_threshold` (default 10 s): by all of them.

use kvmtest::prelude::*;
use kvmtest::vm::MigrateOptions;

/// Runs the subtest.
pub fn run_timedrift_with_migration(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let mut session = vm.wait_for_login(params.get_duration("login_timeout")?)?;
    let options = MigrateOptions::from_params(params)?;
    let single = params.get_duration_or("drift_threshold_single", Duration::from_secs(3))?;
    let all = params.get_duration_or("drift_threshold", Duration::from_secs(10))?;

    let first = offset(&mut session)?;
    let mut last = first;
    for number in 1..=params.get_u64_or("migration_iterations", 3)? {
        vm.migrate(&options)?;
        let now = offset(&mut session)?;
        test.log(format!("migration {number}: the clock moved by {:+.2} s", now - last));
        if (now - last).abs() > single.as_secs_f64() {
            test.fail(format!("migration {number} moved the clock by {:+.2} s", now - last))?;
        }
        last = now;
    }
    if (last - first).abs() > all.as_secs_f64() {
        test.fail(format!("the migrations moved the clock by {:+.2} s", last - first))?;
    }
    Ok(())
}

/// How far the guest's clock is ahead of the host's, in seconds.
fn offset(session: &mut Session) -> Result<f64> {
    let guest = session.cmd("cat /proc/driver/rtc >/dev/null; date +%s.%N")?;
    let guest: f64 = guest.trim_end_matches(".%N").parse().map_err(|_| {
        Error::new(ErrorKind::TestError, format!("`date` printed no time: `{guest}`"))
    })?;
    let host = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(guest - host.unwrap_or_default().as_secs_f64())
}
