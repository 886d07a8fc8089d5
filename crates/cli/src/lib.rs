//! The command line of `kvmtest`: what was typed, and one file for what each command does.
//!
//! A library so that the book's tests, the manual pages and the completions see the same
//! definition as the program.

mod args;
mod askpass;
mod command;
mod complete;
mod output;
mod shipped;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use kvmtest_runner::exit_code;

pub use args::Args;

/// The whole program.
pub fn main() -> ExitCode {
    if let Some(code) = askpass::answer_if_asked() {
        return code;
    }
    clap_complete::CompleteEnv::with_factory(Args::command).complete();
    let typed: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let args = Args::parse().checked(&typed).unwrap_or_else(|error| error.exit());
    match command::execute(args.command) {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(&error);
            let interrupted = error.kind() == kvmtest::ErrorKind::Interrupted;
            ExitCode::from(if interrupted {
                exit_code::INTERRUPTED
            } else {
                exit_code::SETUP_IMPOSSIBLE
            })
        }
    }
}
