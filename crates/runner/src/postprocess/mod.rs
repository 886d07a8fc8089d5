//! What is done after a test, in its order, however the test went.

mod command;
mod hand_over;
mod hugepages;
mod images;
mod profilers;
mod screens;
#[cfg(test)]
mod tests;
mod unresponsive;
mod vms;

use kvmtest::{Error, Params, Result};

pub(crate) use hand_over::hand_over;

use crate::around::{Around, Step};
use crate::hook;
use crate::outcome::Outcome;

/// The steps. Each is done, whatever becomes of those before it.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "profilers",
        what: "ending the profilers",
        keys: &["profilers"],
        check: None,
        run: profilers::end,
    },
    Step {
        name: "vms",
        what: "cleaning up the machines",
        keys: &["kill_vm", "kill_vm_gracefully", "kill_vm_timeout"],
        check: Some(vms::check),
        run: vms::clean,
    },
    Step {
        name: "images",
        what: "checking and removing images",
        keys: &["check_image", "remove_image"],
        check: Some(images::check),
        run: images::clean,
    },
    Step {
        name: "screens",
        what: "putting the screens in order",
        keys: &["keep_screendumps"],
        check: Some(screens::check),
        run: screens::end,
    },
    Step {
        name: "unresponsive",
        what: "looking for machines that nobody can log in to",
        keys: &["kill_unresponsive_vms"],
        check: Some(unresponsive::check),
        run: unresponsive::end,
    },
    Step {
        name: "hugepages",
        what: "giving huge pages back",
        keys: &["setup_hugepages"],
        check: None,
        run: hugepages::give_back,
    },
    Step {
        name: "command",
        what: "running `post_command`",
        keys: &["post_command", "post_command_timeout", "post_command_noncritical"],
        check: Some(|params| hook::check(params, "post_command")),
        run: command::run,
    },
];

/// Refuses params that some step cannot understand, for a test that passes and for one that fails;
/// asked before anything is started.
pub(crate) fn check(params: &Params) -> Result<()> {
    for params in [params, &params.object_params("on_error")] {
        STEPS.iter().try_for_each(|step| step.check(params))?;
    }
    Ok(())
}

/// Does what is to be done after a test. Of several errors the gravest is given back, and the
/// others are told as warnings.
pub(crate) fn clean(around: &mut Around, failed: bool) -> Result<()> {
    around.failed = failed;
    if failed {
        around.params = around.params.object_params("on_error");
    }
    let mut gravest: Option<Error> = None;
    for step in STEPS {
        let Err(error) = step.run(around) else { continue };
        gravest = match gravest.take() {
            None => Some(error),
            Some(other) => {
                let (worse, milder) =
                    if weight(&error) > weight(&other) { (error, other) } else { (other, error) };
                around.warn(milder.to_string());
                Some(worse)
            }
        };
    }
    gravest.map_or(Ok(()), Err)
}

fn weight(error: &Error) -> Outcome {
    Outcome::of_clean_up(error.kind())
}
