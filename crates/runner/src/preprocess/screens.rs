//! `take_regular_screendumps`.

use std::time::Duration;

use kvmtest::{Params, Result};

use crate::around::Around;
use crate::film::Film;

/// How much time is between two screens.
const DELAY: Duration = Duration::from_secs(5);
/// Less would keep QEMU busy with nothing else.
const SHORTEST: Duration = Duration::from_millis(100);

pub(super) fn check(params: &Params) -> Result<()> {
    delay(params).map(drop)
}

pub(super) fn begin(around: &mut Around) -> Result<()> {
    if let Some(delay) = delay(&around.params)? {
        around.film = Some(Film::start(&around.env, &around.places, delay)?);
    }
    Ok(())
}

/// How often screens are taken, if they are.
fn delay(params: &Params) -> Result<Option<Duration>> {
    let wanted = params.get_bool_or("take_regular_screendumps", false)?;
    let delay = params.get_duration_or("screendump_delay", DELAY)?;
    if delay < SHORTEST {
        return Err(params.wrong("screendump_delay", "0.1 s or more"));
    }
    Ok(wanted.then_some(delay))
}
