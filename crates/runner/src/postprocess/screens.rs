//! The screens that were taken: kept or not, and of a failed test as one animated picture.

use std::time::Duration;

use kvmtest::{Params, Result};

use crate::around::Around;
use crate::film::Reel;

/// How long the last screen may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn check(params: &Params) -> Result<()> {
    params.get_bool_or("keep_screendumps", false).map(drop)
}

/// Of a failed test they are kept, unless `keep_screendumps` says otherwise.
pub(super) fn end(around: &mut Around) -> Result<()> {
    let Some(film) = around.film.take() else { return Ok(()) };
    let keep = around.params.get_bool_or("keep_screendumps", around.failed)?;
    let Some(reels) = film.stop(PATIENCE) else {
        around.warn(format!("the last screen was not there within {PATIENCE:?}"));
        return Ok(());
    };
    for reel in reels {
        put_away(around, &reel, keep);
    }
    Ok(())
}

fn put_away(around: &mut Around, reel: &Reel, keep: bool) {
    if let Some(problem) = &reel.problem {
        around.warn(problem.clone());
    }
    if around.failed
        && let Err(error) = reel.animate(&around.places.results)
    {
        around.warn(error.to_string());
    }
    if !keep && let Err(error) = reel.remove() {
        around.warn(format!("removing the screens of `{}`: {error}", reel.vm));
    }
}
