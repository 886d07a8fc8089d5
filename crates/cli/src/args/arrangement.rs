//! What can be typed about which of the tests run, and in which order.

use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use kvmtest::perturb::{self, Kind};
use kvmtest_runner::plan::{self, Rerun, Sequence, Shard};

/// Which of the tests run, and in which order.
#[derive(Debug, Default, ClapArgs)]
#[command(next_help_heading = "Which tests, in which order")]
pub(crate) struct Arrangement {
    /// Print what would run, in its order, and run nothing.
    #[arg(long)]
    pub(crate) list_only: bool,
    /// Run what the chosen tests depend on, too.
    #[arg(long)]
    pub(crate) with_deps: bool,
    /// Run only what failed or never started in the last run, or in the one whose results are here.
    ///
    /// FAIL, ERROR and INTERRUPTED, but not what failed as expected; and what never started because
    /// that run was stopped before. Without a filter and a set, they are taken from the set of that
    /// run.
    #[arg(
        long,
        value_name = "RESULTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_hint = ValueHint::AnyPath
    )]
    pub(crate) rerun: Option<Utf8PathBuf>,
    /// Run only one of N parts of the tests: `1/3`, `2/3` and `3/3` together are all of them.
    ///
    /// What depends on each other stays in one part. The first lines say how the tests were
    /// divided: that is the same for all parts, or tests are missing.
    /// A part that gets no test is a success that says so.
    #[arg(long, value_name = "I/N", allow_hyphen_values = true)]
    pub(crate) shard: Option<Shard>,
    /// Divide so that parts take about the same time, by what tests took in this run.
    ///
    /// It has to be the same run for all parts. `history` means the times that `kvmtest history`
    /// tells, which has to be the same everywhere then. Else each test counts the same.
    #[arg(long, value_name = "RESULTS", requires = "shard", value_hint = ValueHint::AnyPath)]
    pub(crate) shard_times: Option<Utf8PathBuf>,
    /// Run tests in an order by chance; a seed brings an order back.
    #[arg(
        long,
        value_name = "SEED",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "order"
    )]
    pub(crate) shuffle: Option<Seed>,
    /// In which order tests run, as far as dependencies allow.
    ///
    /// Without it, as in the configuration, and with several jobs the slowest first.
    #[arg(long, value_enum, value_name = "ORDER")]
    pub(crate) order: Option<Order>,
    /// Run what failed when it was last run before everything else.
    #[arg(long)]
    pub(crate) failed_first: bool,
    /// Have the machines go through this at checkpoints: each command of a session may be one.
    ///
    /// `migrate` moves a machine to another QEMU, `restore` saves it and starts it from what was
    /// saved, `pause` stops it for a moment, `fork` makes a twin of it. When that happens is drawn
    /// from SEED; where there is none, one is drawn and told. The same seed brings it all back.
    /// Tests that cannot stand it (`perturb = no`) are skipped.
    #[arg(long, value_name = "KIND[@SEED]", allow_hyphen_values = true)]
    pub(crate) perturb: Option<Perturb>,
    /// Take failures for known that this file expects, each with a reason and a day of expiry.
    ///
    /// They do not fail the run; an entry that has expired does, and one whose tests pass.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) known_failures: Option<Utf8PathBuf>,
}

/// What an order by chance is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seed {
    /// Any number.
    Any,
    /// This number.
    This(u64),
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text.is_empty() => Ok(Self::Any),
            Ok(seed) => Ok(Self::This(seed)),
            Err(_) => Err("a whole number, as a run has printed it".to_owned()),
        }
    }
}

/// What machines go through, as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Perturb {
    kind: Kind,
    seed: Option<u64>,
}

impl FromStr for Perturb {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        perturb::Order::parse(text).map(|(kind, seed)| Self { kind, seed })
    }
}

impl Perturb {
    /// With a seed in any case.
    fn meaning(self) -> perturb::Order {
        perturb::Order { kind: self.kind, seed: self.seed.unwrap_or_else(plan::seed) }
    }
}

/// In which order tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// As the configuration has them
    Configuration,
    /// What takes longest by earlier runs first
    SlowestFirst,
}

impl Arrangement {
    /// What it means.
    pub(crate) fn meaning(&self) -> plan::Arrangement {
        let sequence = match (self.shuffle, self.order) {
            (Some(Seed::Any), _) => Some(Sequence::Shuffled(plan::seed())),
            (Some(Seed::This(seed)), _) => Some(Sequence::Shuffled(seed)),
            (None, Some(Order::Configuration)) => Some(Sequence::Configuration),
            (None, Some(Order::SlowestFirst)) => Some(Sequence::SlowestFirst),
            (None, None) => None,
        };
        // An empty path stands for none.
        let rerun = self.rerun.clone().map(|path| match path.as_str() {
            "" => Rerun::Last,
            _ => Rerun::Of(path),
        });
        plan::Arrangement {
            sequence,
            failed_first: self.failed_first,
            rerun,
            with_deps: self.with_deps,
            shard: self.shard,
            shard_times: self.shard_times.clone(),
            perturb: self.perturb.map(Perturb::meaning),
        }
    }
}
