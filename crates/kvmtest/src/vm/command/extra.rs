//! `extra_params`: a user's own arguments.

use super::argument::Argument;
use super::words;
use crate::error::Result;
use crate::params::Params;

/// The words of `extra_params`, by the shell's rules for quotes, without a shell.
pub(super) fn arguments(params: &Params) -> Result<Vec<Argument>> {
    let text = params.get_or("extra_params", "");
    let words = words::split(text).map_err(|fault| {
        params.wrong("extra_params", &format!("words that a shell would read, but {fault}"))
    })?;
    Ok(words.into_iter().map(Argument::Word).collect())
}
