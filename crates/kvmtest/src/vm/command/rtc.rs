//! `-rtc`: the clock of the guest.

use super::argument::{Argument, Options};
use super::read;
use crate::error::Result;
use crate::params::Params;

/// The argument for the clock, where anything is said about it.
pub(super) fn arguments(params: &Params) -> Result<Option<Argument>> {
    let base = params.find_nonempty("rtc_base").map(str::trim);
    if base.is_some_and(|base| {
        !matches!(base, "utc" | "localtime") && !base.starts_with(|c: char| c.is_ascii_digit())
    }) {
        return Err(
            params.wrong("rtc_base", "`utc`, `localtime`, or a time: `2030-01-31T12:00:00`")
        );
    }
    let clock = read::choice_if_set(params, "rtc_clock", &["host", "rt", "vm"])?;
    let drift = read::choice_if_set(params, "rtc_drift", &["none", "slew"])?;
    if base.is_none() && clock.is_none() && drift.is_none() {
        return Ok(None);
    }
    let options =
        Options::default().maybe("base", base).maybe("clock", clock).maybe("driftfix", drift);
    Ok(Some(Argument::Option("rtc", options.finish())))
}
