//! `kvmtest ssh`: the host's ssh, told where the machine is and what its password is.

use std::os::unix::process::CommandExt;
use std::process::Command;

use kvmtest::{Error, ErrorKind, Result, env};

use super::usage::{note_use, of_monitor};
use crate::args::Ssh;
use crate::askpass;

pub(super) fn execute(args: &Ssh) -> Result<u8> {
    let vm = env::find_vm_in(&args.machine.vm, args.machine.env.as_deref())?;
    vm.renew()?;
    let params = vm.params();
    let guest_port = u16::try_from(params.get_u64_or("shell_port", 22)?)
        .map_err(|_| params.wrong("shell_port", "a port"))?;
    let host = vm.get_address(0)?;
    let used = note_use(&vm, "monitor, which knows the port,");
    let port = of_monitor(&vm, used, vm.get_port(guest_port, 0))?;
    let mut ssh = Command::new("ssh");
    ssh.args(["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no"])
        .args(["-o", "LogLevel=ERROR", "-p", &port.to_string()])
        .arg("-l")
        .arg(params.get_or("username", "root"))
        .arg(host)
        .args(&args.command);
    if let (Some(password), Ok(this)) = (params.find("password"), std::env::current_exe()) {
        ssh.env("SSH_ASKPASS", this)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env(askpass::VARIABLE, password);
    }
    vm.enter_by_hand()?;
    drop(vm);
    let error = ssh.exec();
    Err(Error::new(ErrorKind::Host, "`ssh` cannot be started: apt install openssh-client")
        .caused_by(error))
}
