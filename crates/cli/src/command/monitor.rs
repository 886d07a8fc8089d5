//! `kvmtest monitor`: the human monitor of a living machine.

use std::io::{BufRead, IsTerminal, Write};

use kvmtest::{Result, env};

use super::usage::{note_use, of_monitor};
use crate::args::Monitor;
use crate::terminal::{clean, note};

pub(super) fn execute(args: &Monitor) -> Result<u8> {
    let vm = env::find_vm_in(&args.machine.vm, args.machine.env.as_deref())?;
    vm.renew()?;
    let used = note_use(&vm, "monitor");
    let monitor = of_monitor(&vm, used, vm.human_monitor())?;
    if !args.command.is_empty() {
        print(&monitor.cmd(&args.command.join(" "))?);
        return Ok(0);
    }
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        note(format!(
            "monitor of {}: `help` lists commands, end-of-file (Ctrl-D) leaves",
            args.machine.vm
        ));
    }
    prompt(interactive);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            match monitor.cmd(&line) {
                Ok(answer) => print(&answer),
                // What was typed may have ended the machine.
                Err(_) if vm.is_dead()? => {
                    note(format!("the machine {} has ended", args.machine.vm));
                    return Ok(0);
                }
                Err(error) => return Err(error),
            }
        }
        prompt(interactive);
    }
    Ok(0)
}

fn print(answer: &str) {
    let _ = write!(std::io::stdout().lock(), "{}", clean(answer));
}

fn prompt(interactive: bool) {
    if interactive {
        let mut output = std::io::stdout().lock();
        let _ = write!(output, "(qemu) ").and_then(|()| output.flush());
    }
}
