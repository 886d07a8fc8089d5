//! From what was seen of a child to what is said of its test.

use std::time::Duration;

use super::ending::{Ending, Exit};
use super::leftover::Leftover;
use super::protocol::Finished;
use crate::exit_code;
use crate::outcome::Outcome;

/// Why the runner stopped a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The test had so much time.
    Timeout(Duration),
    /// Somebody asked everything to stop.
    Interrupted,
    /// The whole run had so much time, and so much more because the host was starved.
    TimeUp(Duration, Duration),
    /// Something was found on one of its machines that fails it.
    Found,
    /// The child broke the protocol.
    Breached,
    /// The child had said how the test ended, and then did not end itself.
    Lingered,
}

/// What is said after a time that was put off by so much: nothing, if that is not worth a word.
pub(crate) fn and_more(put_off: Duration) -> String {
    match put_off.as_secs() {
        0 => String::new(),
        seconds => format!(", and {seconds}s more because the host was starved"),
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout(limit) => write!(f, "it had {limit:?}"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::TimeUp(limit, more) => {
                write!(f, "the run's time of {limit:?} was up{}", and_more(*more))
            }
            Self::Found => f.write_str("something was found on its machines"),
            Self::Breached => f.write_str("it broke the protocol"),
            Self::Lingered => f.write_str("it did not end"),
        }
    }
}

/// The kind of error of a child that got no more memory under its limit.
pub(crate) const WITHOUT_MEMORY: &str = "child-without-memory";

/// Judges a test by how its child ended and, where the runner stopped it, why.
///
/// | what was seen | outcome |
/// |---|---|
/// | stopped by an interrupt, or because the run's time was up | INTERRUPTED, or what the child had said before |
/// | stopped for what was found on a machine | FAIL, with what it was doing; or what it had said |
/// | past its deadline | FAIL, with what it was doing when it was asked to stop |
/// | the protocol broken | ERROR |
/// | killed by a signal, or ended without a word | ERROR |
/// | the exit code of a child that got no more memory under its limit | ERROR |
/// | an exit code that is not the one of what it said | ERROR |
/// | processes left behind by a test that passed | ERROR |
/// | anything else | what the child said |
pub fn judge(ending: Ending, stop: Option<Stop>) -> Finished {
    let Ending { exit, finished, breach, leftovers, stderr } = ending;
    let evidence = (!stderr.is_empty()).then(|| stderr.join("\n"));
    let error = |kind: &str, message: String| Finished {
        kind: Some(kind.to_owned()),
        output: evidence.clone(),
        ..Finished::new(Outcome::Error, message)
    };
    match (stop, finished) {
        (Some(why @ (Stop::Interrupted | Stop::TimeUp(..))), said) => match said {
            Some(said) if said.outcome != Outcome::Interrupted => said,
            said => {
                let said = said.unwrap_or_else(|| Finished::new(Outcome::Interrupted, ""));
                let output = said.output.or(evidence);
                Finished { output, message: why.to_string(), ..said }
            }
        },
        (Some(Stop::Found), said) => {
            let said = said.unwrap_or_else(|| Finished::new(Outcome::Interrupted, ""));
            let output = said.output.clone().or(evidence);
            // What was found says it all; the message is put in with it.
            match said.outcome {
                Outcome::Interrupted => Finished { outcome: Outcome::Fail, output, ..said },
                _ => said,
            }
        }
        (Some(Stop::Timeout(limit)), said @ (None | Some(_)))
            if said.as_ref().is_none_or(|said| said.outcome == Outcome::Interrupted) =>
        {
            past_deadline(limit, exit, said, evidence, &leftovers)
        }
        (Some(Stop::Timeout(_) | Stop::Lingered), Some(said)) => error(
            "child-lingered",
            format!("the test ended as {}, but its process did not end", said.outcome),
        ),
        (_, said) => {
            if let Some(breach) = breach {
                return error(
                    "child-broke-protocol",
                    format!("the child broke the protocol: {breach}"),
                );
            }
            let without_memory = Exit::Code(exit_code::CHILD_WITHOUT_MEMORY.into());
            match (exit, said) {
                (exit, _) if exit == without_memory => error(
                    WITHOUT_MEMORY,
                    "the subtest wanted more memory than it may have".to_owned(),
                ),
                (Exit::Signal(signal), said) => {
                    let after = said
                        .map(|said| format!(", after it had said {}", said.outcome))
                        .unwrap_or_default();
                    let message = format!("the child was killed by {}{after}", signal_name(signal));
                    error("child-died", message)
                }
                (Exit::Code(code), None) => error("child-died", silent(code)),
                (Exit::Code(code), Some(said))
                    if code != i32::from(exit_code::of_child(said.outcome)) =>
                {
                    let message = format!(
                        "the child broke the protocol: it said {}, but its exit code was {code}",
                        said.outcome
                    );
                    error("child-broke-protocol", message)
                }
                (Exit::Code(_), Some(said)) if !leftovers.is_empty() => {
                    left_behind(said, &leftovers)
                }
                (Exit::Code(_), Some(said)) => said,
            }
        }
    }
}

fn past_deadline(
    limit: Duration,
    exit: Exit,
    said: Option<Finished>,
    evidence: Option<String>,
    leftovers: &[Leftover],
) -> Finished {
    let killed = match exit {
        Exit::Signal(9) => ", did not end when asked to, and was killed",
        _ => "",
    };
    let message = format!("the test did not end within {limit:?} (`test_timeout`){killed}");
    let message = with_leftovers(message, leftovers);
    let said = said.unwrap_or_else(|| Finished::new(Outcome::Fail, ""));
    Finished {
        outcome: Outcome::Fail,
        kind: Some("test-timeout".into()),
        message,
        output: said.output.or(evidence),
        ..said
    }
}

fn silent(code: i32) -> String {
    if code == i32::from(exit_code::CHILD_BAD_REQUEST) {
        return "the child could not read its request".into();
    }
    format!("the child ended with exit code {code} without saying how the test ended")
}

fn left_behind(said: Finished, leftovers: &[Leftover]) -> Finished {
    if said.outcome.is_failure() {
        return Finished { message: with_leftovers(said.message, leftovers), ..said };
    }
    Finished {
        outcome: Outcome::Error,
        kind: Some("left-behind".into()),
        message: with_leftovers(String::new(), leftovers),
        ..said
    }
}

fn with_leftovers(message: String, leftovers: &[Leftover]) -> String {
    /// Of more than these the number says enough.
    const MOST: usize = 10;
    if leftovers.is_empty() {
        return message;
    }
    let shown = leftovers.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let more = match leftovers.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let colon = if message.is_empty() { "" } else { "; " };
    format!("{message}{colon}the test left processes behind: {shown}{more}")
}

/// `SIGSEGV` for 11.
fn signal_name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal)
        .map_or_else(|| format!("signal {signal}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::Breach;

    fn ended(exit: Exit, said: Option<Outcome>) -> Ending {
        Ending {
            exit,
            finished: said.map(|outcome| Finished::new(outcome, "so it said")),
            breach: None,
            leftovers: Vec::new(),
            stderr: vec!["last words".into()],
        }
    }

    #[track_caller]
    fn check(ending: Ending, stop: Option<Stop>, outcome: Outcome, part: &str) {
        let verdict = judge(ending, stop);
        assert_eq!(verdict.outcome, outcome, "{verdict:?}");
        assert!(verdict.message.contains(part), "{} lacks {part}", verdict.message);
    }

    #[test]
    fn a_child_that_keeps_the_protocol_is_believed() {
        for outcome in Outcome::ALL {
            let code = i32::from(exit_code::of_child(outcome));
            check(ended(Exit::Code(code), Some(outcome)), None, outcome, "so it said");
        }
    }

    #[test]
    fn a_child_that_does_not_is_an_error() {
        let error = Outcome::Error;
        check(ended(Exit::Code(0), None), None, error, "exit code 0 without");
        check(ended(Exit::Code(20), None), None, error, "could not read its request");
        check(ended(Exit::Code(21), None), None, error, "wanted more memory");
        check(ended(Exit::Code(21), Some(Outcome::Pass)), None, error, "wanted more memory");
        check(ended(Exit::Code(10), Some(Outcome::Pass)), None, error, "exit code was 10");
        check(ended(Exit::Signal(6), None), None, error, "SIGABRT");
        check(ended(Exit::Signal(11), Some(Outcome::Pass)), None, error, "after it had said PASS");
        let breach = Ending { breach: Some(Breach::Closed), ..ended(Exit::Signal(15), None) };
        check(breach, Some(Stop::Breached), error, "broke the protocol: it closed");
    }

    #[test]
    fn a_broken_child_shows_its_last_words() {
        let verdict = judge(ended(Exit::Signal(9), None), None);
        assert_eq!(verdict.output.as_deref(), Some("last words"));
    }

    #[test]
    fn a_deadline_that_passed_is_a_fail_that_keeps_what_the_child_was_doing() {
        let stop = Some(Stop::Timeout(Duration::from_secs(30)));
        let mut ending = ended(Exit::Code(15), Some(Outcome::Interrupted));
        ending.finished.as_mut().expect("said").contexts = vec!["rebooting vm1".into()];
        let verdict = judge(ending, stop);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.message, "the test did not end within 30s (`test_timeout`)");
        assert_eq!(verdict.contexts, ["rebooting vm1"]);
        check(ended(Exit::Signal(9), None), stop, Outcome::Fail, "was killed");
        check(ended(Exit::Signal(9), Some(Outcome::Pass)), stop, Outcome::Error, "did not end");
    }

    #[test]
    fn a_test_that_was_stopped_for_a_finding_fails() {
        let stop = Some(Stop::Found);
        check(ended(Exit::Signal(9), None), stop, Outcome::Fail, "");
        check(ended(Exit::Code(15), Some(Outcome::Interrupted)), stop, Outcome::Fail, "");
        check(ended(Exit::Code(10), Some(Outcome::Fail)), stop, Outcome::Fail, "so it said");
        check(ended(Exit::Code(0), Some(Outcome::Pass)), stop, Outcome::Pass, "so it said");
    }

    #[test]
    fn an_interrupt_is_no_failure_of_the_test() {
        let stop = Some(Stop::Interrupted);
        check(ended(Exit::Signal(9), None), stop, Outcome::Interrupted, "interrupted");
        check(ended(Exit::Code(15), Some(Outcome::Interrupted)), stop, Outcome::Interrupted, "");
        check(ended(Exit::Code(0), Some(Outcome::Pass)), stop, Outcome::Pass, "");
    }

    #[test]
    fn a_run_without_time_says_how_much_it_had() {
        let check = |more, expect: &str| {
            let stop = Stop::TimeUp(Duration::from_secs(10), Duration::from_millis(more));
            assert_eq!(stop.to_string(), expect);
        };
        check(0, "the run's time of 10s was up");
        check(999, "the run's time of 10s was up");
        check(3999, "the run's time of 10s was up, and 3s more because the host was starved");
    }

    #[test]
    fn what_is_left_behind_fails_a_test_that_passed() {
        let leftovers = vec![Leftover { pid: 7, command: "sleep 99".into(), escaped: false }];
        let ending = Ending { leftovers, ..ended(Exit::Code(0), Some(Outcome::Pass)) };
        check(ending.clone(), None, Outcome::Error, "7 (`sleep 99`)");
        let failed = Ending {
            exit: Exit::Code(10),
            finished: Some(Finished::new(Outcome::Fail, "so it said")),
            ..ending
        };
        check(failed, None, Outcome::Fail, "so it said; the test left");
    }
}
