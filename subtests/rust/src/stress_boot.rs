//! Start more and more machines, each one a clone of the first that boots or a fork of it, until
//! there are `max_vms`; all of them keep answering.
//!
//! `stress_by`: `clone` (boots, the default) or `fork`. `alive_test_cmd`: what each has to answer
//! (default `uname -a`).

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_stress_boot(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let first = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let by_fork = params.get_choice_or("stress_by", &["clone", "fork"])? == "fork";
    let question = params.get_or("alive_test_cmd", "uname -a");
    let most = params.get_u64_or("max_vms", 3)?;
    let mut sessions = vec![first.wait_for_login(timeout)?];
    let mut vms = Vec::new();

    if by_fork {
        let names: Vec<String> = (2..=most).map(|number| format!("stress{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (twins, forked) = first.fork_all(&names)?;
        test.log(format!("{} forks, a pause of {:?}", twins.len(), forked.pause));
        vms = twins;
    } else {
        for number in 2..=most {
            let vm = first.clone(&format!("stress{number}"))?;
            vm.create()?;
            vms.push(vm);
        }
    }
    for vm in &vms {
        sessions.push(vm.wait_for_login(timeout)?);
        for session in &mut sessions {
            session.cmd(question)?;
        }
    }
    test.log(format!("{} machines answer", sessions.len()));
    drop(sessions);
    vms.iter().try_for_each(|vm| vm.destroy(false))
}
