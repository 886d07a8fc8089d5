//! What findings make of a verdict.

use kvmtest::guest::sign::Action;

use super::finding::Finding;
use crate::child::protocol::Finished;
use crate::outcome::Outcome;

/// The verdict on a test in which these things were found.
///
/// | the subtest said | with a finding that fails |
/// |---|---|
/// | PASS, WARN | FAIL with the finding |
/// | nothing, because it was stopped for the finding | FAIL with the finding, and what it was doing |
/// | FAIL, ERROR for the same reason | as it was: it says more |
/// | FAIL, ERROR | as it was, and the finding behind it |
/// | SKIP, CANCEL, INTERRUPTED | as it was |
///
/// What is to warn makes a PASS a WARN.
pub fn with_findings(verdict: Finished, stopped: bool, findings: &[Finding]) -> Finished {
    let failing = findings.iter().find(|finding| finding.action == Action::Fail);
    let Some(finding) = failing else {
        return match verdict.outcome {
            Outcome::Pass if findings.iter().any(|it| it.action == Action::Warn) => {
                Finished { outcome: Outcome::Warn, ..verdict }
            }
            _ => verdict,
        };
    };
    match verdict.outcome {
        Outcome::Pass | Outcome::Warn => failed(verdict, finding),
        _ if stopped => failed(verdict, finding),
        Outcome::Fail | Outcome::Error if verdict.kind == kind(finding) => verdict,
        Outcome::Fail | Outcome::Error => {
            let message = format!("{}; meanwhile {}", verdict.message, finding.message);
            Finished { message, ..verdict }
        }
        Outcome::Skip | Outcome::Cancel | Outcome::Interrupted => verdict,
    }
}

fn failed(verdict: Finished, finding: &Finding) -> Finished {
    let output = (!finding.lines.is_empty()).then(|| finding.lines.join("\n"));
    Finished {
        outcome: Outcome::Fail,
        kind: kind(finding),
        message: finding.message.clone(),
        output: output.or(verdict.output),
        ..verdict
    }
}

/// The kind in the words of an error.
fn kind(finding: &Finding) -> Option<String> {
    serde_json::to_value(finding.kind).ok()?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use kvmtest::ErrorKind;

    use super::*;

    fn finding(action: Action) -> Finding {
        Finding {
            vm: "vm1".into(),
            sign: "panic".into(),
            action,
            kind: ErrorKind::GuestPanicked,
            message: "the guest of the VM `vm1` panicked".into(),
            lines: vec!["Kernel panic".into(), "Call Trace:".into()],
            count: 1,
        }
    }

    fn said(outcome: Outcome, kind: &str) -> Finished {
        Finished {
            kind: Some(kind.into()),
            contexts: vec!["rebooting".into()],
            ..Finished::new(outcome, "so it said")
        }
    }

    #[test]
    fn a_finding_that_fails_turns_a_pass_into_a_fail() {
        let table = [
            (Outcome::Pass, false, Outcome::Fail, "the guest of the VM `vm1` panicked"),
            (Outcome::Warn, false, Outcome::Fail, "the guest of the VM `vm1` panicked"),
            (Outcome::Interrupted, true, Outcome::Fail, "the guest of the VM `vm1` panicked"),
            (Outcome::Fail, true, Outcome::Fail, "the guest of the VM `vm1` panicked"),
            (Outcome::Fail, false, Outcome::Fail, "so it said; meanwhile the guest"),
            (Outcome::Error, false, Outcome::Error, "so it said; meanwhile the guest"),
            (Outcome::Skip, false, Outcome::Skip, "so it said"),
            (Outcome::Cancel, false, Outcome::Cancel, "so it said"),
            (Outcome::Interrupted, false, Outcome::Interrupted, "so it said"),
        ];
        for (outcome, stopped, expected, message) in table {
            let found = [finding(Action::Warn), finding(Action::Fail)];
            let verdict = with_findings(said(outcome, "test-fail"), stopped, &found);
            assert_eq!(verdict.outcome, expected, "{outcome}");
            assert!(verdict.message.starts_with(message), "{outcome}: {}", verdict.message);
            assert_eq!(verdict.contexts, ["rebooting"], "{outcome}");
        }
    }

    #[test]
    fn what_the_subtest_says_itself_is_not_said_twice() {
        let verdict = said(Outcome::Fail, "guest-panicked");
        let found = [finding(Action::Fail)];
        assert_eq!(with_findings(verdict.clone(), false, &found), verdict);
    }

    #[test]
    fn a_warning_warns_and_no_more() {
        let found = [finding(Action::Warn)];
        let outcome = |outcome| with_findings(said(outcome, "x"), false, &found).outcome;
        assert_eq!(outcome(Outcome::Pass), Outcome::Warn);
        assert_eq!(outcome(Outcome::Fail), Outcome::Fail);
        assert_eq!(outcome(Outcome::Skip), Outcome::Skip);
        assert_eq!(with_findings(said(Outcome::Pass, "x"), false, &[]).outcome, Outcome::Pass);
    }

    #[test]
    fn the_lines_that_show_it_are_kept() {
        let verdict = with_findings(said(Outcome::Pass, "x"), false, &[finding(Action::Fail)]);
        assert_eq!(verdict.output.as_deref(), Some("Kernel panic\nCall Trace:"));
        assert_eq!(verdict.kind.as_deref(), Some("guest-panicked"));
    }
}
