//! What known failures mean for a run.

use kvmtest::Params;
use kvmtest::params::{Origin, Value};

use super::*;

fn test(number: u32, name: &str) -> PlannedTest {
    PlannedTest {
        number,
        name: name.to_owned(),
        shortname: name.to_owned(),
        dep: Vec::new(),
        subtest: "boot".to_owned(),
        iteration: 1,
        program: Err("is not run".to_owned()),
        makers: Arc::default(),
        params: Params::new(),
        urgent: false,
        expected: None,
    }
}

const TODAY: &str = "2026-06-15";

/// A list with entries `filter until`.
fn known(entries: &[(&str, &str)], tests: &[PlannedTest]) -> Known {
    let dir = tempfile::tempdir().expect("a directory");
    let path = Utf8PathBuf::from_path_buf(dir.path().join("known.toml")).expect("UTF-8");
    let entry = |(filter, until): &(&str, &str)| {
        format!(
            "[[failure]]\ntests = '{filter}'\nreason = 'because of {filter}'\nexpires = {until}\n"
        )
    };
    std::fs::write(&path, entries.iter().map(entry).collect::<Vec<_>>().concat()).expect("written");
    Known::read(Some(&path), tests, TODAY.parse().expect("a day")).expect("read")
}

#[test]
fn a_failure_is_known_by_the_first_entry_that_holds() {
    let tests = [test(1, "a.boot"), test(2, "b.boot"), test(3, "c")];
    let known =
        known(&[("a.boot", "2026-06-14"), ("boot", "2026-06-15"), ("b", "2027-01-01")], &tests);
    let reason = |test: &PlannedTest, outcome| known.of(test, outcome).map(|known| known.reason);
    for test in &tests[..2] {
        assert_eq!(reason(test, Outcome::Fail).as_deref(), Some("because of boot"));
        assert_eq!(reason(test, Outcome::Error).as_deref(), Some("because of boot"));
    }
    for outcome in Outcome::ALL {
        assert_eq!(reason(&tests[2], outcome), None);
        let is_known = matches!(outcome, Outcome::Fail | Outcome::Error);
        assert_eq!(reason(&tests[0], outcome).is_some(), is_known, "{outcome}");
    }
}

#[test]
fn an_entry_that_is_not_needed_or_has_expired_is_told_of() {
    #[track_caller]
    fn check(entries: &[(&str, &str)], ended: &[Outcome], expect: &[&str]) {
        let tests = [test(1, "a.boot"), test(2, "b.boot"), test(3, "c")];
        let known = known(entries, &tests);
        let unmet = known.unmet((1..).zip(ended.iter().copied()));
        assert_eq!(unmet.len(), expect.len(), "{unmet:?}");
        for (sentence, part) in unmet.iter().zip(expect) {
            assert!(sentence.contains(part), "`{sentence}` lacks `{part}`");
        }
    }
    use Outcome::{Cancel, Error, Fail, Interrupted, Pass, Skip, Warn};
    let good = "2027-01-01";
    check(&[("boot", good)], &[Fail, Pass], &[]);
    check(&[("boot", good)], &[Error, Error, Pass], &[]);
    check(
        &[("boot", good), ("c", good)],
        &[Pass, Warn, Pass],
        &[
            "known.toml:1: `boot` does not fail any more (2 tests passed): remove the entry",
            "known.toml:5: `c` does not fail any more (1 test passed)",
        ],
    );
    check(&[("boot", good)], &[Skip, Cancel, Fail], &[]);
    check(&[("boot", good)], &[Interrupted], &[]);
    check(&[("boot", good)], &[], &[]);
    check(&[("missing", good)], &[Pass, Pass, Pass], &[]);
    let expired = "known.toml:1: the known failure of `boot` expired on 2026-06-14";
    check(&[("boot", "2026-06-14")], &[Fail], &[expired]);
    check(&[("boot", "2026-06-14")], &[Pass], &[expired]);
    check(&[("boot", "2026-06-14")], &[Skip], &[]);
    check(&[("boot", TODAY)], &[Fail], &[]);
}

#[test]
fn an_entry_that_is_about_no_test_is_idle() {
    let tests = [test(1, "a.boot"), test(2, "b.boot")];
    let known = known(&[("boot", TODAY), ("c", TODAY), ("a..b", TODAY), ("b", TODAY)], &tests);
    let idle = known.idle();
    let filters: Vec<&str> = idle.iter().map(|(filter, _)| *filter).collect();
    assert_eq!(filters, ["c", "a..b"]);
    assert!(idle[0].1.ends_with("known.toml:5"), "{idle:?}");
}

#[test]
fn a_param_names_a_file_for_its_tests_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = Utf8Path::from_path(dir.path()).expect("UTF-8");
    let text = "[[failure]]\ntests = 'boot'\nreason = 'r'\nexpires = 2027-01-01\n";
    std::fs::write(dir.join("mine.toml"), text).expect("written");
    let mut tests = [test(1, "a.boot"), test(2, "b.boot")];
    let file = dir.join("tests.cfg").into_string().into();
    let origin = Some(Origin { file, line: 3 });
    tests[0].params.insert("known_failures", Value { text: "mine.toml".into(), origin });
    let known = Known::read(None, &tests, TODAY.parse().expect("a day")).expect("read");
    assert!(known.of(&tests[0], Outcome::Fail).is_some());
    assert_eq!(known.of(&tests[1], Outcome::Fail), None);
    assert_eq!(known.unmet([(1, Outcome::Pass), (2, Outcome::Pass)]).len(), 1);
    // The same file twice is one list.
    let file = dir.join("mine.toml");
    let known = Known::read(Some(&file), &tests, TODAY.parse().expect("a day")).expect("read");
    assert_eq!(known.unmet([(1, Outcome::Pass), (2, Outcome::Pass)]).len(), 1);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let error = Known::read(Some("/nowhere/known.toml".into()), &[], TODAY.parse().expect("a day"));
    assert!(error.expect_err("no file").to_string().contains("/nowhere/known.toml"));
}

#[test]
fn an_unstable_test_fails_with_its_own_reason() {
    let mut unstable = test(1, "a");
    unstable.params =
        [("unstable", "yes"), ("unstable_reason", "races"), ("unstable_link", "https://x")]
            .into_iter()
            .collect();
    let known = Known::default();
    let failure = known.of(&unstable, Outcome::Fail).expect("known");
    assert_eq!((failure.reason.as_str(), failure.link.as_deref()), ("races", Some("https://x")));
    assert_eq!(known.of(&unstable, Outcome::Pass), None);
    assert_eq!(known.unmet([(1, Outcome::Pass)]), [""; 0], "it may pass");
    unstable.params.set("unstable", "no");
    assert_eq!(known.of(&unstable, Outcome::Fail), None);
}
