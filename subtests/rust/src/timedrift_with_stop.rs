//! Stop the machine for a while. The guest's clock stands still meanwhile, so it is late by that
//! time afterwards; once the guest is told (`kvmtest::guest::Refresh`), it is not late any more.
//!
//! `stop_time`: how long the machine is stopped (default 5 s).
//! `drift_threshold`: by how much a clock may differ from what it should be (default 1 s).

use std::time::{Instant, SystemTime};

use kvmtest::guest::{Clock, Refresh};
use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_timedrift_with_stop(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let stop_time = params.get_duration_or("stop_time", Duration::from_secs(5))?;
    let threshold = params.get_duration_or("drift_threshold", Duration::from_secs(1))?;
    let (clock, refresh) = (Clock::of(params), Refresh::of(params)?);
    let mut session = vm.wait_for_login(params.get_duration("login_timeout")?)?;
    // With KVM, the processor's own counter goes on while the machine is stopped.
    let source = "cat /sys/devices/system/clocksource/clocksource0/current_clocksource";
    let halts = vm.record().is_some_and(|record| record.accel != "kvm")
        || session.cmd_output(source)? != "tsc";

    let before = clock.lag(&mut session)?;
    let began = Instant::now();
    vm.pause()?;
    kvmtest::wait::readable([], Deadline::after(stop_time))?;
    vm.resume()?;
    let stopped = began.elapsed().as_secs_f64();
    let drift = clock.lag(&mut session)? - before;
    test.log(format!("stopped for {stopped:.2} s: the clock is {drift:.2} s late"));
    let expected = if halts { stopped } else { 0.0 };
    if (drift - expected).abs() > threshold.as_secs_f64() {
        test.fail(format!("{drift:.2} s late after a stop, instead of {expected:.2} s"))?;
    }

    refresh.run(&mut session, SystemTime::now())?;
    let lag = clock.lag(&mut session)?;
    test.log(format!("told the time: {lag:.2} s late"));
    if lag.abs() > threshold.as_secs_f64() {
        test.fail(format!("still {lag:.2} s late after being told the time"))?;
    }
    session.close();
    Ok(())
}
