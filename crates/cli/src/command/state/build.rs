//! `kvmtest state build`: makes the states that tests start from.

mod builder;
mod machine;

use std::io;

use kvmtest::{Result, interrupt};
use kvmtest_runner::exit_code;
use kvmtest_runner::plan::plan;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::args::{Selection, StateBuild};
use crate::command::selection::{choice, resolve};
use crate::terminal::{complain, note, say};
use builder::Builder;
use machine::{Wanted, machines};

pub(super) fn execute(args: &StateBuild) -> Result<u8> {
    let (selection, known) = match resolve(&args.selection, None)? {
        Ok(resolved) => resolved,
        Err(code) => return Ok(code),
    };
    let tests = plan(selection.variants(), &known).tests;
    let Wanted { mut machines, others, mut failed } = machines(tests);
    if is_unsaid(&args.selection)? {
        machines.truncate(1);
        failed.clear();
    }
    if machines.is_empty() && failed.is_empty() {
        note(format!("kvmtest: no test that is meant starts from a state; {}", first(&others)));
        return Ok(exit_code::NOTHING_MATCHED);
    }
    end_waits_when_asked()?;
    let mut builder = Builder::new(args.json)?;
    let built = machines.iter().try_for_each(|machine| builder.build(machine));
    // What ends the machines has to wait, too.
    interrupt::clear();
    let (states, more_failed) = builder.end()?;
    failed.extend(more_failed);
    if args.json {
        say(format!(
            "{:#}",
            json!({ "version": super::VERSION, "states": states,
            "failed": failed.iter().map(machine::Failed::told).collect::<Vec<_>>() })
        ));
    }
    for failed in &failed {
        complain(&failed.error);
    }
    built?;
    Ok(if failed.is_empty() { exit_code::ALL_PASSED } else { exit_code::SOME_FAILED })
}

/// Whether nothing says which tests are meant.
fn is_unsaid(selection: &Selection) -> Result<bool> {
    let choice = choice(selection)?;
    let said = selection.set.is_some() || selection.config.is_some();
    Ok(!said && choice.wanted.filters.is_empty())
}

fn first(others: &[String]) -> String {
    match others {
        [] => "there is none".to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first}; so for {} more", rest.len()),
    }
}

/// The first signal ends the waits, and with them what is being made, in order; the second one
/// ends the process, and the machines' guards do the rest.
fn end_waits_when_asked() -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let listen = move || {
        for (count, _) in signals.forever().enumerate() {
            match count {
                0 => interrupt::request(),
                _ => std::process::exit(exit_code::INTERRUPTED.into()),
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}
