//! What can be typed after `kvmtest history`.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, ValueEnum, ValueHint};

/// Tell how tests ended in earlier runs, and how long they took.
///
/// What failed last comes first, then what is flaky, then what passes seldom. The history lies
/// beside the results, as `history.sqlite`; each run adds to it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest history                          every test that was ever run
  kvmtest history boot                     those that a filter passes, with their single runs
  kvmtest history --results /srv/results   of runs whose results are there
  kvmtest history --rebuild                make it anew from the events of all results
  kvmtest history --format json            for a program

Columns:
  runs     how often it ended
  passed   of the times that it passed or failed, the part that it passed
  flaky    ... the part in which it needed another try, or ended otherwise than before
  last     how it ended last, and when
  time     the median of the last five times it passed
  trend    ... against the median of all times before those

Exit status:
  0    it is told, whatever is in it
  2    the command line is wrong
  3    the history cannot be read
  4    no test that was ever run matches")]
pub(crate) struct History {
    /// A filter of tests, by their full names, or a whole short name; several mean any of them.
    ///
    /// The single runs of these tests are listed, too: when, how it ended, how long it took, and
    /// the folder of its results.
    #[arg(value_name = "TEST")]
    pub(crate) tests: Vec<String>,
    /// Where the results are.
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub(crate) results: Utf8PathBuf,
    /// Make the history anew first, from the results, or from those in DIR.
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_hint = ValueHint::DirPath
    )]
    pub(crate) rebuild: Option<Utf8PathBuf>,
    /// How to print it.
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// How `history` prints tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document: `version` and `tests`
    Json,
}
