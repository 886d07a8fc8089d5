//! `-boot`: what the firmware does, for what has no boot index.

use super::argument::{Argument, Options};
use super::read;
use crate::error::Result;
use crate::params::Params;

/// The argument for the firmware, where anything is said about it.
pub(super) fn arguments(params: &Params) -> Result<Option<Argument>> {
    let on = |flag| if flag { "on" } else { "off" };
    let menu = read::flag_if_set(params, "boot_menu")?.map(on);
    let strict = read::flag_if_set(params, "boot_strict")?.map(on);
    let splash = read::number(params, "boot_splash_time", 0, 0xffff)?.map(|time| time.to_string());
    let options = Options::default()
        .maybe("order", drives(params, "boot_order")?)
        .maybe("once", drives(params, "boot_once")?)
        .maybe("menu", menu)
        .maybe("splash-time", splash.as_deref())
        .maybe("strict", strict)
        .finish();
    Ok((!options.is_empty()).then_some(Argument::Option("boot", options)))
}

/// Whether the firmware may be asked to boot from the network.
pub(super) fn may_use_network(params: &Params) -> bool {
    ["boot_order", "boot_once"].iter().any(|key| params.get_or(key, "").contains('n'))
        || params.get_or("boot_menu", "no").trim() == "yes"
}

fn drives<'a>(params: &'a Params, key: &str) -> Result<Option<&'a str>> {
    let Some(text) = params.find_nonempty(key).map(str::trim) else { return Ok(None) };
    let fit = text.chars().enumerate().all(|(i, c)| {
        ('a'..='p').contains(&c) && !text.chars().take(i).any(|earlier| earlier == c)
    });
    if fit {
        return Ok(Some(text));
    }
    let what = "letters of drives, each once: `a` floppy, `c` disk, `d` CD-ROM, `n` network";
    Err(params.wrong(key, what))
}
