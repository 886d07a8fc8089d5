//! What can be typed.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter};
use kvmtest_cartesian::Finding;
use kvmtest_runner::jobs::Jobs;

use crate::complete;

mod arrangement;
mod check;
mod history;
mod number;
mod report;
mod state;

pub(crate) use arrangement::Arrangement;
pub(crate) use history::{Format as HistoryFormat, History};
pub(crate) use report::{Format as ReportFormat, Report};
pub(crate) use state::{Build as StateBuild, Command as StateCommand, State};

/// Tests virtual machines.
///
/// Boots real guests under QEMU and runs subtests on them: files that each hold one function,
/// `run_foo(test, params, env)`. `kvmtest run` with nothing said runs the quick set; `kvmtest
/// doctor` tells what this host can do.
#[derive(Debug, Parser)]
#[command(name = "kvmtest", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    // Without a comment of its own, a command has the help of what it holds, in full.
    Run(Box<Run>),
    Report(Report),
    List(List),
    Show(Show),
    Lint(Lint),
    History(History),
    /// Tell what this host can do, and how to mend what it cannot.
    Doctor,
    /// Build, list and remove the guests that tests run on.
    #[command(subcommand)]
    Guest(Guest),
    Env(Env),
    State(State),
    /// Open the serial console of a living machine.
    Console(Machine),
    Monitor(Monitor),
    Ssh(Ssh),
    New(New),
    Completions(Completions),
    Man(Man),
    /// Guard a machine (called by `kvmtest` itself).
    #[command(hide = true)]
    Guard,
    /// Run one subtest (called by `kvmtest run`).
    #[command(hide = true)]
    Child,
}

/// Run tests.
///
/// With nothing said, the quick set of the shipped configuration: boot, reboot, system_reset,
/// system_powerdown, shutdown. Machines are started as the tests need them, and are gone after
/// the run unless `kill_vm = no` is said.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest run                          the quick set
  kvmtest run boot                     the test `boot`
  kvmtest run boot shutdown            both
  kvmtest run smp2..boot               `boot` on a machine with two processors
  kvmtest run boot 'mem = 1024'        `boot` with another value
  kvmtest run boot 'kill_vm = no'      ... and the machine stays, for an hour
  kvmtest run --jobs 4                 four tests at one time
  kvmtest run boot --retries 2         ... again, up to twice, if it fails
  kvmtest run boot --on-fail keep      ... and a machine that failed can be looked into
  kvmtest run --config mine.cfg        a configuration of your own
  kvmtest run --set full --list-only   what would run, and nothing else
  kvmtest run --rerun                  what failed in the last run, again
  kvmtest run --set full --shard 2/3   the second of three parts
  kvmtest run --shuffle=1234           an order by chance, and the same one again
  kvmtest run --perturb migrate        the machines move under their tests, now and then

Exit status:
  0    every test passed (WARN, SKIP and CANCEL are no failures)
  1    some test failed, or the list of known failures is not true any more
  2    the command line is wrong: an option, a filter, a statement
  3    nothing was run: the host or the configuration does not allow it
  4    nothing was run: no test matches
  5    every test passed, but not all results could be written
  130  interrupted, or the run's time was up")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Put the results in a new folder below this one.
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(crate) results: Utf8PathBuf,
    /// Run so many tests at one time; `auto` asks the host.
    ///
    /// Each worker has machines and images of its own. Tests that have a machine in common, or
    /// depend on each other, stay together. `auto` is one for each processor, as far as three
    /// quarters of the free memory hold what the smallest test takes.
    #[arg(long, short, value_name = "N|auto", default_value = "1", allow_negative_numbers = true)]
    pub(crate) jobs: Jobs,
    /// Try a test that failed up to N times again; one that passes then is called flaky.
    ///
    /// Not together with `--repeat-until-fail`, which wants a failure where this wants none.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = number::any,
        allow_negative_numbers = true
    )]
    pub(crate) retries: u32,
    /// Run each test up to N times, until it fails.
    ///
    /// Not together with `--retries`, which wants no failure where this wants one.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = number::any,
        allow_negative_numbers = true,
        conflicts_with = "retries"
    )]
    pub(crate) repeat_until_fail: u32,
    /// Start nothing any more once N tests have failed.
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = number::from_one
    )]
    pub(crate) fail_fast: Option<usize>,
    /// End the run after this time: `90`, `30m`, `2h`. What runs is interrupted and cleaned up.
    ///
    /// Without it a run takes as long as its tests take, unless these say `job_timeout`.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = number::time,
        allow_hyphen_values = true
    )]
    pub(crate) timeout: Option<Duration>,
    /// What becomes of the machines of a test that failed at its last try.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub(crate) on_fail: OnFail,
    #[command(flatten)]
    pub(crate) arrangement: Arrangement,
    #[command(flatten)]
    pub(crate) detail: Detail,
}

/// What becomes of the machines of a test that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFail {
    /// What `kill_vm_on_error` says: they are ended, unless it is `no`
    #[default]
    Kill,
    /// They stay for `vm_lease`, apart from the run; the next test gets others
    Keep,
    /// The run waits, with the console of the machine on this terminal, until that is left;
    /// nothing is started meanwhile
    Shell,
}

/// How much is said.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Detail {
    /// Say only what failed, and how many tests ended how.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say also what the tests say, and their phases.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// What of a configuration is meant.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct Selection {
    /// A filter of tests, or a statement of the configuration language.
    ///
    /// A filter (`boot`, `smp2..boot`, `(guest_os=f)..boot`) selects tests; several mean any of
    /// them; a test's name selects that test. What has an operator (`mem = 1024`) or begins with a keyword (`only smp2`, `no
    /// wide`) is a statement, given after the configuration's own.
    #[arg(value_name = "WHAT", add = ArgValueCompleter::new(complete::tests))]
    pub(crate) what: Vec<String>,
    /// Read this configuration instead of the shipped one.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<Utf8PathBuf>,
    /// Take the tests from this set of the configuration (shipped: quick, standard, full).
    #[arg(long, value_name = "SET", add = ArgValueCandidates::new(complete::sets))]
    pub(crate) set: Option<String>,
    /// Take only the default variant of each block that has one, where any test has it.
    #[arg(long)]
    pub(crate) defaults: bool,
    /// ... but all variants of the block `variants NAME:`. May be repeated.
    #[arg(
        long,
        value_name = "NAME",
        requires = "defaults",
        add = ArgValueCandidates::new(complete::blocks)
    )]
    pub(crate) expand_defaults: Vec<String>,
    /// A folder with more subtests: files `foo.py`, or a crate as `kvmtest new` makes it. May be
    /// repeated.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) subtests: Vec<Utf8PathBuf>,
}

/// List the tests that a filter selects.
///
/// With nothing said, all of the shipped configuration's largest set. Tests are printed as they
/// are found, however many there are.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest list                                    the tests that ship
  kvmtest list boot                               those that `kvmtest run boot` runs
  kvmtest list --format count --set quick         how many the quick set has
  kvmtest list --config my.cfg 'only smp2'        a configuration of your own, narrowed
  kvmtest list --config my.cfg --format jsonl     its tests with all params, for a program")]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How to print them.
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: Format,
}

/// How `list` prints tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: the short name, the subtest, and what it does
    #[default]
    Table,
    /// The full name, one a line; each can be given back as WHAT
    Names,
    /// One JSON object a line: `i`, `name`, `shortname`, `dep`, and all other params as `params`
    Jsonl,
    /// The same objects as one JSON array
    Json,
    /// Only how many there are
    Count,
}

/// Show all params of a test, and where each was set.
#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Tell how this key came to its value. May be repeated.
    ///
    /// Every statement that touched it, in order, with its file and line, the variants and
    /// conditions that let it apply, and the value before and after; and those that did not apply,
    /// and why. The keys that the language sets (`name`, `shortname`, `dep`, …) have a story, too.
    #[arg(long, value_name = "KEY", add = ArgValueCompleter::new(complete::keys))]
    pub(crate) explain: Vec<String>,
    /// How to print them.
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: TextOrJson,
}

/// How a command prints what people and programs read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Jsonl,
    /// The same objects as one JSON array
    Json,
}

/// Tell what a configuration says that was hardly meant.
///
/// A finding is a proof, not a guess: where it would take too long to find one, nothing is told.
/// Filters that every name has to pass (`only boot` outside of all variants) are taken for a
/// choice of the day, and what they leave out is no finding.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kvmtest lint                                the shipped configuration
  kvmtest lint mine.cfg                       one of your own
  kvmtest lint --allow unknown-label mine.cfg written for more guests than it includes
  kvmtest lint --only overwritten mine.cfg    one kind of finding
  kvmtest lint --format jsonl mine.cfg        for an editor: one object a line

Exit status:
  0    nothing was found
  1    something was found
  2    the command line is wrong
  3    a configuration cannot be read; every error in it has been told")]
pub(crate) struct Lint {
    /// The configurations to read, each by itself; the shipped one where none is named.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Say nothing about this kind of finding. May be repeated.
    #[arg(long, value_name = "FINDING", value_parser = finding())]
    pub(crate) allow: Vec<Finding>,
    /// Say nothing about all other kinds. May be repeated.
    #[arg(long, value_name = "FINDING", value_parser = finding())]
    pub(crate) only: Vec<Finding>,
    /// How to print what is found.
    ///
    /// `text` shows the line with a mark under the place; what is the same in several places is
    /// told once. An object of JSON has `file`, `line`, `columns` (from, to before), `severity`
    /// (`warning` or `error`), `finding` (or null), `message`, `help` (or null).
    #[arg(long, short, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) format: TextOrJson,
    /// A folder with more subtests: files `foo.py`, or a crate as `kvmtest new` makes it. May be
    /// repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) subtests: Vec<Utf8PathBuf>,
}

/// The kinds of findings, with what they mean.
fn finding() -> impl TypedValueParser<Value = Finding> {
    let possible = |finding: Finding| PossibleValue::new(finding.name()).help(finding.meaning());
    PossibleValuesParser::new(Finding::ALL.map(possible)).try_map(|name| name.parse::<Finding>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Guest {
    /// Build a guest, if it is not up to date: `small` boots in seconds, `wide` has all drivers.
    ///
    /// Needs the distribution's package mirror, and no root. The guest lies in the cache.
    Build {
        /// Which ones.
        #[arg(required = true, add = ArgValueCandidates::new(complete::guests))]
        names: Vec<String>,
    },
    /// List the guests and whether they are built.
    List,
    /// Remove what was built of a guest.
    Rm {
        /// Which ones.
        #[arg(required = true, add = ArgValueCandidates::new(complete::guests))]
        names: Vec<String>,
    },
}

/// List, kill and clear up the machines that live.
#[derive(Debug, ClapArgs)]
pub(crate) struct Env {
    #[command(subcommand)]
    pub(crate) command: Option<EnvCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnvCommand {
    /// List the living machines (the default).
    List,
    /// End a machine, or all that no run is using.
    Kill {
        /// Its name; all of them where none is given.
        #[arg(add = ArgValueCandidates::new(complete::machines))]
        vm: Option<String>,
        /// The environment that it is in, where several have one of that name.
        #[arg(
            long,
            value_name = "ENV",
            requires = "vm",
            add = ArgValueCandidates::new(complete::environments)
        )]
        env: Option<String>,
        /// Kill it, though a run is using it: the test that has it fails.
        #[arg(long, requires = "vm")]
        force: bool,
    },
    /// Clear up what died or leaked: dead machines' files, broken env files.
    Gc,
}

// Without a comment of its own: what holds it has one.
#[derive(Debug, ClapArgs)]
pub(crate) struct Machine {
    /// The machine's name, as `kvmtest env` lists it.
    #[arg(add = ArgValueCandidates::new(complete::machines))]
    pub(crate) vm: String,
    /// The environment that it is in, where several have one of that name.
    #[arg(long, value_name = "ENV", add = ArgValueCandidates::new(complete::environments))]
    pub(crate) env: Option<String>,
}

/// Talk to the human monitor of a living machine.
///
/// Without a command: a prompt, which end-of-file ends.
#[derive(Debug, ClapArgs)]
pub(crate) struct Monitor {
    #[command(flatten)]
    pub(crate) machine: Machine,
    /// A command to execute instead of asking for some: `info status`.
    #[arg(trailing_var_arg = true)]
    pub(crate) command: Vec<String>,
}

/// Log in to a living machine by ssh.
#[derive(Debug, ClapArgs)]
pub(crate) struct Ssh {
    #[command(flatten)]
    pub(crate) machine: Machine,
    /// A command to run there instead of a shell.
    #[arg(trailing_var_arg = true)]
    pub(crate) command: Vec<String>,
}

/// Make a crate for subtests of your own.
///
/// Each file `foo.rs` in its `src` that holds `run_foo` is a subtest; `kvmtest run --subtests
/// DIR foo` builds the crate and runs it.
#[derive(Debug, ClapArgs)]
pub(crate) struct New {
    /// The folder to make.
    pub(crate) dir: Utf8PathBuf,
}

/// Print a completion script for a shell.
///
/// It asks this program what fits, so that it completes names of tests and machines, too.
#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Zsh,
}

/// Write the manual pages.
#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// The folder to write them to.
    pub(crate) dir: Utf8PathBuf,
}
