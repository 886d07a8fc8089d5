//! A program that passes for QEMU where no guest is needed: it answers what QEMU is asked, opens
//! the sockets that its command line names, and plays a guest that knows a login and a shell.
//!
//! What goes wrong is said by the variable `FAKE_QEMU`; see [`Role`]. If `FAKE_QEMU_NOTES` names
//! a pipe, what happens is written there, a line each, and its end is the end of this process.

mod answers;
mod chardev;
mod console;
mod guest;
mod machine;
mod monitor;
mod role;
mod screen;
mod shell;

use std::io::Write;
use std::process::ExitCode;

use chardev::Chardev;
use console::Console;
use machine::Machine;
use role::Role;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let role = Role::from_environment();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["-help"] => answers::help(),
        ["-netdev", "help"] => answers::netdev_help(),
        ["-machine", "none", ..] if role == Role::DiesWhenAsked => return die(),
        ["-machine", "none", ..] => answers::converse(role),
        _ if role == Role::Dies => return die(),
        _ => run(role, &args),
    }
    ExitCode::SUCCESS
}

fn die() -> ExitCode {
    let words = "qemu: \x1b[31mthe flux capacitor is not plugged in\n";
    let _ = std::io::stderr().write_all(words.as_bytes());
    ExitCode::from(3)
}

/// Runs until somebody or something ends the process.
fn run(role: Role, args: &[String]) {
    if role == Role::IgnoresSignals {
        machine::ignore_sigterm();
    }
    let machine = Machine::new(role);
    machine.note("started");
    if role == Role::OpensNothing {
        machine::wait_forever();
    }
    // As QEMU, which answers on its monitors when all else is open.
    let (monitors, others): (Vec<_>, Vec<_>) =
        Chardev::all(args).into_iter().partition(Chardev::is_monitor);
    let mut console = None;
    for chardev in others {
        if chardev.log.is_some() && console.is_none() {
            console = Some(Console::open(&chardev));
        } else {
            chardev.listen_and_ignore();
        }
    }
    for chardev in &monitors {
        monitor::serve(&machine, chardev);
    }
    match console {
        Some(console) => guest::run(&machine, console),
        None => machine::wait_forever(),
    }
}
