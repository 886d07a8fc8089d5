//! Fork the running machine: both go on from the same moment, in memory and on disk, and neither
//! sees what the other does afterwards.

use kvmtest::prelude::*;

/// Runs the subtest.
pub fn run_fork_isolation(test: &mut Test, params: &Params, env: &mut Env) -> Result<()> {
    let vm = env.get_living_vm(params.get("main_vm")?)?;
    let timeout = params.get_duration("login_timeout")?;
    let mut session = vm.wait_for_login(timeout)?;
    session.cmd("common=both; echo both >/tmp/common")?;
    let disk = has_disk(params, &mut session, timeout)?;
    if disk {
        session.cmd("echo both >/data/common; sync")?;
    }

    let twin = vm.fork("twin")?;
    // The shell of before goes on in both.
    let mut other = twin.wait_for_login(timeout)?;
    for (session, who) in [(&mut session, "original"), (&mut other, "twin")] {
        let common = session.cmd("echo $common $(cat /tmp/common)")?;
        if common != "both both" {
            test.fail(format!("the {who} does not remember what both had: `{common}`"))?;
        }
        session.cmd(&format!("echo {who} >/tmp/own; own={who}"))?;
        if disk {
            session.cmd(&format!("echo {who} >/data/own; sync; echo 3 >/proc/sys/vm/drop_caches"))?;
        }
    }
    for (session, who) in [(&mut session, "original"), (&mut other, "twin")] {
        let own = session.cmd("echo $own $(cat /tmp/own)")?;
        if own != format!("{who} {who}") {
            test.fail(format!("the {who} sees what the other did: `{own}`"))?;
        }
        if !disk {
            continue;
        }
        let own = session.cmd("echo $(cat /data/common /data/own)")?;
        if own != format!("both {who}") {
            test.fail(format!("the disk of the {who} is not its own: `{own}`"))?;
        }
    }
    if vm.get_pid()? == twin.get_pid()? {
        test.fail("both are one process")?;
    }
    drop(other);
    twin.destroy(false)
}

/// Whether the guest has a disk on `/data`. It may get it a moment after its login prompt.
fn has_disk(params: &Params, session: &mut Session, timeout: Duration) -> Result<bool> {
    if params.objects("images").is_empty() || session.cmd_status("test -d /data")? != 0 {
        return Ok(false);
    }
    let waits = "i=0; until grep -q ' /data ' /proc/mounts || [ $i = 20 ]; do \
                 i=$((i+1)); sleep 0.5; done; grep -q ' /data ' /proc/mounts";
    Ok(session.cmd_status_timeout(waits, timeout)? == 0)
}
