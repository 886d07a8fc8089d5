//! What each command does, one file each.

mod child;
mod completions;
mod console;
mod doctor;
mod env;
mod explain;
mod guard;
mod guest;
mod history;
mod lint;
mod list;
mod man;
mod monitor;
mod new;
mod report;
mod run;
mod selection;
mod show;
mod ssh;
mod state;
mod usage;
mod visit;

use std::process::ExitCode;

use kvmtest::Result;

use crate::args::Command;

pub(crate) use selection::offered;

/// Does what the command says; gives back the program's exit code.
pub(crate) fn execute(command: Command) -> Result<ExitCode> {
    let code = match command {
        Command::Run(run) => run::execute(&run),
        Command::Report(report) => report::execute(&report),
        Command::List(list) => list::execute(&list),
        Command::Show(show) => show::execute(&show),
        Command::Lint(lint) => lint::execute(&lint),
        Command::History(history) => history::execute(&history),
        Command::Doctor => doctor::execute(),
        Command::Guest(guest) => guest::execute(guest),
        Command::Env(env) => env::execute(env.command),
        Command::State(state) => state::execute(state.command),
        Command::Console(machine) => console::execute(&machine),
        Command::Monitor(monitor) => monitor::execute(&monitor),
        Command::Ssh(ssh) => ssh::execute(&ssh),
        Command::New(new) => new::execute(&new.dir),
        Command::Completions(completions) => Ok(completions::execute(completions.shell)),
        Command::Man(man) => man::execute(&man.dir),
        Command::Guard => guard::execute(),
        Command::Child => return Ok(child::execute()),
    };
    code.map(ExitCode::from)
}
