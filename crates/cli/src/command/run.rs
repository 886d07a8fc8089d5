//! `kvmtest run`: runs tests.

use kvmtest::{Result, env};
use kvmtest_runner::dispatch::{Settings, Worker};
use kvmtest_runner::report::{ConsoleOptions, Detail};
use kvmtest_runner::run::Order;
use kvmtest_runner::{LocalStage, scratch};

use super::selection::{choice, house};
use crate::args::{self, Run};
use crate::terminal::note;

pub(super) fn execute(args: &Run) -> Result<u8> {
    let order = Order {
        choice: choice(&args.selection)?,
        subtests: args.selection.subtests.clone(),
        results: args.results.clone(),
        argv: std::env::args().collect(),
        console: ConsoleOptions::detect().with_detail(detail(&args.detail)),
    };
    let settings = Settings::new(scratch::root()?);
    let mut claim = None;
    let code = house()?.run(order, settings, |_plan| {
        // What an earlier run could not clear up itself, because it and its guards were killed.
        for thing in env::collect(env::Reach::Abandoned)? {
            note(format!("kvmtest: {thing}"));
        }
        scratch::collect(&scratch::root()?)?;
        let own = env::claim()?;
        let stage = LocalStage::new(own.path())?;
        let worker = Worker { stage: Box::new(stage), env: own.path().to_owned() };
        claim = Some(own);
        Ok(vec![worker])
    });
    if let Some(claim) = claim {
        claim.release()?;
    }
    Ok(code)
}

/// How much is to be said.
pub(super) fn detail(detail: &args::Detail) -> Detail {
    match (detail.quiet, detail.verbose) {
        (true, _) => Detail::Quiet,
        (false, true) => Detail::Verbose,
        (false, false) => Detail::Normal,
    }
}
