//! `kvmtest run`: runs tests.

use kvmtest::{Result, env};
use kvmtest_runner::dispatch::{Settings, Worker};
use kvmtest_runner::report::ConsoleOptions;
use kvmtest_runner::run::Order;
use kvmtest_runner::scratch::Scratch;
use kvmtest_runner::{LocalStage, scratch};

use super::selection::{choice, house};
use crate::args::Run;
use crate::terminal::note;

pub(super) fn execute(args: &Run) -> Result<u8> {
    let order = Order {
        choice: choice(&args.selection)?,
        subtests: args.selection.subtests.clone(),
        results: args.results.clone(),
        argv: std::env::args().collect(),
        console: ConsoleOptions::detect(),
        jobs: args.jobs,
    };
    let settings = Settings {
        run_timeout: args.timeout,
        retries: args.retries,
        repeat_until_fail: args.repeat_until_fail,
        max_failures: args.fail_fast,
        ..Settings::new(scratch::root()?)
    };
    let mut held = Vec::new();
    let code = house()?.run(order, settings, |_plan, jobs| {
        // What an earlier run could not clear up itself, because it and its guards were killed.
        for thing in env::collect(env::Reach::Abandoned)? {
            note(format!("kvmtest: {thing}"));
        }
        scratch::collect(&scratch::root()?)?;
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
    for (claim, overlays) in held {
        claim.release()?;
        drop(overlays);
    }
    Ok(code)
}
