//! What can be typed after `kvmtest report`.

use camino::Utf8PathBuf;
use clap::{Args as ClapArgs, ValueEnum, ValueHint};

/// Show a run again, or make another report of it.
///
/// Everything is made from the run's `events.jsonl`. Where lines of it are torn, that is said, and
/// the rest is shown; so is a run that has not ended.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest report                                    the last run, as it was shown
  kvmtest report --quiet                            what failed in it
  kvmtest report --format html -o page.html         a page for somebody else
  kvmtest report results/2026-01-02T03-04-05 --format junit

Exit status:
  0    the report was made, whatever is in it
  2    the command line is wrong
  3    there are no events, or the report cannot be written")]
pub(crate) struct Report {
    /// The results of a run: its folder, an `events.jsonl`, or a folder of runs for the last one.
    #[arg(default_value = "results/latest", value_hint = ValueHint::AnyPath)]
    pub(crate) results: Utf8PathBuf,
    /// What to make.
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
    /// Write it into this file instead of to standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub(crate) detail: super::Detail,
}

/// What `report` makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// What `kvmtest run` shows
    #[default]
    Console,
    /// The run and its tests in short, as in `summary.json`
    Json,
    /// XML for continuous integration systems
    Junit,
    /// The Test Anything Protocol, version 14
    Tap,
    /// One page with everything, for a browser
    Html,
}
