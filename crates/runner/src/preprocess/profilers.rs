//! `profilers`.

use kvmtest::{ErrorKind, Params, Result};

use crate::around::Around;
use crate::profiler::{Profiler, Recipe};

pub(super) fn check(params: &Params) -> Result<()> {
    params.objects("profilers").into_iter().try_for_each(|name| Recipe::of(params, name).map(drop))
}

/// Starts them, the last thing before the subtest. A tool that the host lacks costs its figures,
/// not the test.
pub(super) fn start(around: &mut Around) -> Result<()> {
    let params = around.params.clone();
    for name in params.objects("profilers") {
        let recipe = Recipe::of(&params, name)?;
        match Profiler::start(around, name, &recipe) {
            Ok(profiler) => around.profilers.push(profiler),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => around.warn(format!("no profile by `{name}`: {error}")),
        }
    }
    Ok(())
}
