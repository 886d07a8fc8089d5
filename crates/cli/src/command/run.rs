//! `kvmtest run`: runs tests.

use std::fmt::Write;
use std::io::IsTerminal;

use kvmtest::{Error, ErrorKind, Result, env};
use kvmtest_runner::dispatch::{Settings, Worker};
use kvmtest_runner::hold::{OnFail, Shell};
use kvmtest_runner::plan::{Arrangement, Fact};
use kvmtest_runner::report::{ConsoleOptions, Detail};
use kvmtest_runner::run::Order;
use kvmtest_runner::scratch::Scratch;
use kvmtest_runner::{LocalStage, scratch};

use super::console::Before;
use super::env::clear_up;
use super::selection::{choice, house};
use super::visit;
use crate::args::{self, Run};
use crate::output::Output;
use crate::terminal::{clean, duration, table};

pub(super) fn execute(args: &Run) -> Result<u8> {
    let before = Before::default();
    let on_fail = on_fail(args.on_fail, &before)?;
    let arrangement = args.arrangement.meaning();
    let order = Order {
        choice: choice(&args.selection)?,
        subtests: args.selection.subtests.clone(),
        results: args.results.clone(),
        argv: replayable(std::env::args(), &arrangement),
        console: ConsoleOptions::detect().with_detail(detail(&args.detail)),
        jobs: args.jobs,
        arrangement,
        known_failures: args.arrangement.known_failures.clone(),
    };
    if args.arrangement.list_only {
        return list_only(&order);
    }
    let settings = Settings {
        run_timeout: args.timeout,
        retries: args.retries,
        repeat_until_fail: args.repeat_until_fail,
        max_failures: args.fail_fast,
        on_fail,
        ..Settings::new(scratch::root()?)
    };
    let mut held = Vec::new();
    let code = house()?.run(order, settings, |_plan, jobs| {
        clear_up()?;
        // The first is what a run with one worker has, so that machines that were kept are found.
        let mut workers = Vec::new();
        for _ in 0..jobs {
            let claim = env::claim()?;
            // Alone a run writes to the images themselves, so that what it installs stays.
            let overlays = if jobs > 1 { Some(Scratch::make(&scratch::root()?)?) } else { None };
            let stage = LocalStage::new(claim.path(), overlays.as_ref().and_then(Scratch::path))?;
            workers.push(Worker { stage: Box::new(stage), env: claim.path().to_owned() });
            held.push((claim, overlays));
        }
        Ok(workers)
    });
    // A run that is left at once waits for nobody who is in a machine.
    before.put_back();
    for (claim, overlays) in held {
        claim.release()?;
        drop(overlays);
    }
    Ok(code)
}

/// The command line, for the record, with the seed that was drawn: so it does the same again.
fn replayable(argv: impl Iterator<Item = String>, arrangement: &Arrangement) -> Vec<String> {
    let mut argv: Vec<String> = argv.collect();
    let Some(order) = arrangement.perturb else { return argv };
    let options = argv.iter().take_while(|word| *word != "--").count();
    for at in 0..options {
        if argv[at].starts_with("--perturb=") {
            argv[at] = format!("--perturb={order}");
        } else if argv[at] == "--perturb" && at + 1 < options {
            argv[at + 1] = order.to_string();
        }
    }
    argv
}

fn on_fail(wanted: args::OnFail, before: &Before) -> Result<OnFail> {
    Ok(match wanted {
        args::OnFail::Kill => OnFail::Kill,
        args::OnFail::Keep => OnFail::Keep,
        args::OnFail::Shell => {
            let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
            if !stdin.is_terminal() || !stdout.is_terminal() || !stderr.is_terminal() {
                let why = "`--on-fail shell` needs a terminal: say `--on-fail keep`";
                return Err(Error::new(ErrorKind::Host, why));
            }
            let before = before.clone();
            OnFail::Shell(Shell::new(move |vm, all| {
                visit::visit(vm, all, &before);
                Ok(())
            }))
        }
    })
}

fn list_only(order: &Order) -> Result<u8> {
    let facts = match house()?.list(order) {
        Ok(facts) => facts,
        Err(code) => return Ok(code),
    };
    let head = ["", "test", "subtest", "CPUs", "MiB", "time", "after"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(facts.iter().map(row));
    let mut out = Output::new();
    let _ = out.lines(|lines| lines.extend(table(&rows).bytes()))?;
    let _ = out.flush()?;
    Ok(0)
}

fn row(fact: &Fact) -> Vec<String> {
    let mut name = fact.shortname.clone();
    if fact.iteration > 1 {
        let _ = write!(name, " ({})", fact.iteration);
    }
    let mut cpus = fact.used.cpus.to_string();
    if fact.alone {
        cpus.push_str(" (alone)");
    }
    let time = fact.expected.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let after = match &fact.broken {
        Some(why) => format!("cannot be run: {why}"),
        None => fact.after.join(" "),
    };
    let cells = [
        fact.number.to_string(),
        name,
        fact.subtest.clone(),
        cpus,
        fact.used.memory.to_string(),
        time.map(duration).unwrap_or_default(),
        after,
    ];
    cells.map(|cell| clean(&cell)).to_vec()
}

/// How much is to be said.
pub(super) fn detail(detail: &args::Detail) -> Detail {
    match (detail.quiet, detail.verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Normal,
    }
}

#[cfg(test)]
mod tests {
    use kvmtest::perturb::{Kind, Order};

    use super::*;

    #[test]
    fn the_command_line_that_is_kept_has_the_seed() {
        let perturbed = Arrangement {
            perturb: Some(Order { kind: Kind::Fork, seed: 7 }),
            ..Arrangement::default()
        };
        let check = |argv: &str, arrangement: &Arrangement, expected: &str| {
            let argv = argv.split(' ').map(str::to_owned);
            assert_eq!(replayable(argv, arrangement).join(" "), expected);
        };
        check("run --perturb fork boot", &perturbed, "run --perturb fork@7 boot");
        check("run --perturb=fork boot", &perturbed, "run --perturb=fork@7 boot");
        check("run --perturb fork@7", &perturbed, "run --perturb fork@7");
        check(
            "run --perturb=fork -- --perturb x",
            &perturbed,
            "run --perturb=fork@7 -- --perturb x",
        );
        check("run boot", &Arrangement::default(), "run boot");
    }
}
