//! What can be typed after `kvmtest state`.

use clap::{Args as ClapArgs, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use super::{Selection, number};
use crate::complete;

/// Make, list, remove and clear up the states: booted guests in the cache.
///
/// Tests start from a state instead of booting. The first one that wants it makes it, and all
/// others of the same machine find it.
#[derive(Debug, ClapArgs)]
pub(crate) struct State {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Make the states that tests start from, so that no test waits for them.
///
/// Takes what `kvmtest run` takes. With no test named, the first one that starts from a state. A
/// state that is there already stays as it is; one that is made from another is made after it.
///
/// Exit codes: 0 all are there, 1 some could not be made, 3 none could be begun, 4 nothing matches,
/// or no such test starts from a state, 130 interrupted: then nothing is left of what was not ready.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest state build                             what the first test starts from
  kvmtest state build --set quick                 what all tests of a set start from
  kvmtest state build boot vm_lifetime=snapshot   what `boot` would start from
  kvmtest state build --config my.cfg nginx       a configuration of your own")]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Print one JSON document at the end: `version`, `states` and `failed`.
    ///
    /// A state has `name`, `what`, `digest`, `directory`, `bytes` and `made_ms` (null if it was
    /// there); what failed has `test`, `state` (null where it was not got so far) and `why`.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(Build),
    /// List the states: what they are, how large, and when they were used last.
    ///
    /// Of those that look the same, each says what is other than in the first of them: `guest build`
    /// where the guest was built anew since, options of QEMU's command line, lines of the recipe.
    /// One that cannot be used says why. Large files are not read for that: what changed inside of
    /// one without a trace is found at its next use.
    List {
        /// Print one JSON document: `version`, `bytes` (what all take on disk) and `states`.
        ///
        /// A state has `digest`, `name`, `what`, `bytes`, `made`, `used`, `condition` (`whole`,
        /// `unverified`, `foreign`, `broken`, `unreadable`), `why`, `directory`, `recipe` and
        /// `facts`. What cannot be told is null. The recipe is all that a state is made of.
        #[arg(long)]
        json: bool,
    },
    /// Remove states; machines that started from them live on.
    ///
    /// A name means all states that are called so; a digest, or its beginning of four digits or
    /// more, means one. What could mean several is refused.
    ///
    /// Exit codes: 0 they are removed, 3 there is none of this name or digest, or it could mean
    /// several; what was named before it is removed.
    Rm {
        /// Names or digests, as `kvmtest state list` has them.
        #[arg(required = true, add = ArgValueCandidates::new(complete::states))]
        which: Vec<String>,
    },
    /// Remove what is broken or was never completed, and what was not used for longest.
    ///
    /// Runs do the same whenever they have made a state.
    Gc {
        /// How much may be left: bytes, or a number with `K`, `M`, `G` or `T`.
        #[arg(
            long,
            value_name = "SIZE",
            default_value = "10G",
            value_parser = number::size,
            allow_negative_numbers = true
        )]
        limit: u64,
    },
}
