//! What machines went through under their tests (`--perturb`), counted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use kvmtest::perturb::Kind;
use serde::Serialize;

/// How often machines went through what: `{"migrate": 3}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Transitions(BTreeMap<&'static str, u64>);

impl Transitions {
    /// Counts one more.
    pub fn add(&mut self, kind: Kind) {
        *self.0.entry(kind.word()).or_default() += 1;
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there were of all kinds.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

impl AddAssign<&Self> for Transitions {
    fn add_assign(&mut self, more: &Self) {
        for (kind, count) in &more.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Transitions {
    /// `no transitions`, `1 transition (fork)`, `5 transitions (3 migrate, 2 pause)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<String> = match &self.0.iter().collect::<Vec<_>>()[..] {
            [] => return f.write_str("no transitions"),
            [(kind, _)] => vec![(**kind).to_owned()],
            several => several.iter().map(|(kind, count)| format!("{count} {kind}")).collect(),
        };
        let total = self.total();
        let noun = if total == 1 { "transition" } else { "transitions" };
        write!(f, "{total} {noun} ({})", kinds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Recorded, TestFinished, TestStarted, What};
    use crate::outcome::Outcome;
    use crate::report::{Console, ConsoleOptions, Fold, Format, Links, Whole, sample};

    #[test]
    fn they_are_counted_by_kind() {
        let check = |kinds: &[Kind], words: &str, json: &str| {
            let mut all = Transitions::default();
            let (first, rest) = kinds.split_at(kinds.len() / 2);
            for part in [first, rest] {
                let mut counted = Transitions::default();
                for kind in part {
                    counted.add(*kind);
                }
                all += &counted;
            }
            assert_eq!(all.to_string(), words);
            assert_eq!(serde_json::to_string(&all).expect("JSON"), json);
            assert_eq!(all.is_empty(), kinds.is_empty());
        };
        check(&[], "no transitions", "{}");
        check(&[Kind::Fork], "1 transition (fork)", r#"{"fork":1}"#);
        check(&[Kind::Pause; 3], "3 transitions (pause)", r#"{"pause":3}"#);
        let two = [Kind::Pause, Kind::Migrate, Kind::Migrate];
        check(&two, "3 transitions (2 migrate, 1 pause)", r#"{"migrate":2,"pause":1}"#);
    }

    /// What the console and all files say of a run of these events, a text each.
    fn reports(whats: &[What]) -> Vec<String> {
        let events = sample::events(whats.iter().cloned());
        let mut out = Vec::new();
        let mut console = Console::new(&mut out, ConsoleOptions::default());
        for event in &events {
            console.take(event).expect("written");
        }
        drop(console);
        let whole = Whole::of(&Recorded { events, broken: Vec::new() });
        let made = Format::ALL.map(|format| format.make(&whole, Links::Relative).expect("made"));
        let all = std::iter::once(out).chain(made);
        all.map(|bytes| String::from_utf8(bytes).expect("UTF-8")).collect()
    }

    fn run(perturb: Option<&str>) -> What {
        match sample::run_started(1) {
            What::RunStarted(started) => What::RunStarted(crate::event::RunStarted {
                perturb: perturb.map(str::to_owned),
                ..started
            }),
            other => other,
        }
    }

    #[test]
    fn each_report_tells_them_of_each_test_and_of_the_run() {
        let done = |kind: Kind| What::Perturbed { test: 1, kind, what: format!("a {kind}") };
        let started = sample::test_started(1, "boot");
        let retried = TestFinished { retried: true, ..sample::test_finished(1, Outcome::Fail) };
        let mut whats = vec![run(Some("migrate@1")), What::TestStarted(started.clone())];
        whats.extend([done(Kind::Migrate), What::TestFinished(retried)]);
        whats.push(What::TestStarted(TestStarted { attempt: 2, ..started }));
        whats.extend([done(Kind::Pause), done(Kind::Migrate)]);
        whats.push(What::TestFinished(sample::test_finished(1, Outcome::Pass)));
        whats.push(sample::run_finished(crate::event::Counts::default()));
        for report in reports(&whats) {
            let told = ["2 transitions (1 migrate, 1 pause)", r#"{"migrate":1,"pause":1}"#];
            let plain = report.replace(['\n', ' '], "");
            let says = |text: &str| plain.contains(&text.replace(' ', ""));
            assert!(told.into_iter().any(says), "of the test: {report}");
            let told = ["3 transitions (2 migrate, 1 pause)", r#"{"migrate":2,"pause":1}"#];
            assert!(told.into_iter().any(says), "of the run: {report}");
        }
    }

    #[test]
    fn none_are_told_of_where_somebody_wanted_some() {
        let end = || sample::run_finished(crate::event::Counts::default());
        for report in reports(&[run(Some("fork@1")), end()]) {
            let told = ["no transitions", r#""transitions": {}"#];
            assert!(told.iter().any(|told| report.contains(told)), "{report}");
        }
        for report in reports(&[run(None), end()]) {
            assert!(!report.contains("transitions"), "{report}");
        }
    }
}
