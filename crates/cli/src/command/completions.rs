//! `kvmtest completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::env::Shells;

use crate::args::{Args, Shell};

pub(super) fn execute(shell: Shell) -> u8 {
    let name = match shell {
        Shell::Bash => "bash",
        Shell::Elvish => "elvish",
        Shell::Fish => "fish",
        Shell::Zsh => "zsh",
    };
    let shells = Shells::builtins();
    let completer = shells.completer(name).expect("clap has the shells that are named here");
    let command = Args::command();
    let program = command.get_name();
    let mut script = Vec::new();
    completer
        .write_registration("COMPLETE", program, program, program, &mut script)
        .expect("memory takes everything");
    crate::terminal::say(String::from_utf8_lossy(&script).trim_end());
    0
}
