//! Reading values: unset and empty are the same here, so that a configuration can take a value
//! back (`nic_ifname =`), and old spellings are understood.

use super::old;
use crate::error::Result;
use crate::params::Params;

/// `yes` or `no`.
pub(super) fn flag(params: &Params, key: &str, default: bool) -> Result<bool> {
    params.find_nonempty(key).map_or(Ok(default), |_| params.get_bool(key))
}

/// `yes` or `no`, if either is said.
pub(super) fn flag_if_set(params: &Params, key: &str) -> Result<Option<bool>> {
    params.find_nonempty(key).map(|_| params.get_bool(key)).transpose()
}

/// A whole number from `least` to `most`, if it is set.
pub(super) fn number(params: &Params, key: &str, least: u64, most: u64) -> Result<Option<u64>> {
    let Some(text) = params.find_nonempty(key) else { return Ok(None) };
    match text.trim().parse().ok().filter(|number| (least..=most).contains(number)) {
        Some(number) => Ok(Some(number)),
        None if most == u64::MAX => {
            Err(params.wrong(key, &format!("a whole number from {least} on")))
        }
        None => Err(params.wrong(key, &format!("a whole number from {least} to {most}"))),
    }
}

/// One of `choices`, if it is set, in today's spelling.
pub(super) fn choice_if_set<'a>(
    params: &'a Params,
    key: &str,
    choices: &[&str],
) -> Result<Option<&'a str>> {
    let Some(text) = params.find_nonempty(key) else { return Ok(None) };
    let text = old::value(key, text.trim());
    if choices.contains(&text) {
        return Ok(Some(text));
    }
    let legal: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    Err(params.wrong(key, &format!("one of {}", legal.join(", "))))
}

/// One of `choices`, in today's spelling.
pub(super) fn choice<'a>(
    params: &'a Params,
    key: &str,
    default: &'a str,
    choices: &[&str],
) -> Result<&'a str> {
    Ok(choice_if_set(params, key, choices)?.unwrap_or(default))
}
