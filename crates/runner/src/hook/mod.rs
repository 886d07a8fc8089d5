//! The user's own commands around a test: `pre_command` and `post_command`.

mod orphans;

use std::time::Duration;

use kvmtest::host::{HostCommand, Left};
use kvmtest::{Error, ErrorKind, Params, Result};

pub(crate) use orphans::collect;

use crate::around::Around;

/// How long a command may take where its `_timeout` says nothing.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Runs the command that `key` names, if there is one, with all params in its environment as
/// `KVM_TEST_<key>`; what it prints goes to `<key>.log`. A failure is an error, or with
/// `<key>_noncritical = yes` a warning. Gives back what it left running.
pub(crate) fn run(around: &mut Around, key: &str) -> Result<Vec<Left>> {
    let Some(line) = around.params.find_nonempty(key) else { return Ok(Vec::new()) };
    let limits = Limits::of(&around.params, key)?;
    let command = command(around, key, line);
    match checked(&command, limits.timeout) {
        Ok(left) => Ok(left),
        Err(error) if limits.noncritical && error.kind() != ErrorKind::Interrupted => {
            around.warn(format!("`{key}`: {error}"));
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Refuses what the keys of the command cannot mean.
pub(crate) fn check(params: &Params, key: &str) -> Result<()> {
    Limits::of(params, key).map(drop)
}

/// A line of the user's for the shell, which learns of the test by its environment.
pub(crate) fn command(around: &Around, name: &str, line: &str) -> HostCommand {
    let yes_or_no = |flag| if flag { "yes" } else { "no" };
    let (variable, holder) = orphans::mark(&around.holder);
    let mut command = HostCommand::shell(line)
        .env(variable, holder)
        .log(around.places.results.join(format!("{name}.log")))
        .env("KVMTEST_TEST", &around.test)
        .env("KVMTEST_FAILED", yes_or_no(around.failed))
        .env("KVMTEST_RESULTS_DIR", around.places.results.as_str())
        .env("KVMTEST_SCRATCH_DIR", around.places.scratch.as_str());
    for (key, value) in around.params.iter() {
        command = command.env(format!("KVM_TEST_{key}"), value);
    }
    command
}

struct Limits {
    timeout: Duration,
    noncritical: bool,
}

impl Limits {
    fn of(params: &Params, key: &str) -> Result<Self> {
        Ok(Self {
            timeout: params.get_duration_or(&format!("{key}_timeout"), TIMEOUT)?,
            noncritical: params.get_bool_or(&format!("{key}_noncritical"), false)?,
        })
    }
}

fn checked(command: &HostCommand, timeout: Duration) -> Result<Vec<Left>> {
    let ended = command.run(timeout)?;
    if ended.status.success() {
        return Ok(ended.left);
    }
    // Whoever fails has not set up what it wanted to leave.
    ended.left.iter().for_each(Left::kill);
    let message = format!("{} failed ({})", command.words(), ended.words());
    Err(Error::new(ErrorKind::TestError, message).with_output(ended.errors))
}
