use super::*;
use crate::event::{Recorded, TestFinished, TestStarted, What};
use crate::report::sample;

fn xml(whats: impl IntoIterator<Item = What>) -> String {
    let recorded = Recorded { events: sample::events(whats), broken: Vec::new() };
    junit(&Whole::of(&recorded)).expect("serialised")
}

/// What Jenkins's schema lets an element have: its name, its attributes, and its children.
const SCHEMA: [(&str, &[&str], &[&str]); 9] = [
    (
        "testsuites",
        &["name", "time", "tests", "failures", "disabled", "errors", "skipped"],
        &["testsuite"],
    ),
    (
        "testsuite",
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &["property"]),
    ("property", &["name", "value"], &[]),
    (
        "testcase",
        &["name", "assertions", "time", "classname", "status"],
        &["skipped", "error", "failure", "system-out", "system-err"],
    ),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
    ("skipped", &["message"], &[]),
    ("system-out", &[], &[]),
];

/// Reads the text with a strict parser, and checks it against the schema.
fn check(text: &str) {
    let document =
        roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        let name = element.tag_name().name();
        let (_, attributes, children) =
            SCHEMA.iter().find(|(known, ..)| *known == name).unwrap_or_else(|| panic!("<{name}>"));
        for attribute in element.attributes() {
            assert!(attributes.contains(&attribute.name()), "{name} has {}", attribute.name());
            check_value(attribute.name(), attribute.value());
        }
        let order: Vec<usize> = element
            .children()
            .filter(roxmltree::Node::is_element)
            .map(|child| {
                let child = child.tag_name().name();
                let place = children.iter().position(|known| *known == child);
                place.unwrap_or_else(|| panic!("{child} in {name}"))
            })
            .collect();
        assert!(order.is_sorted(), "{name} has its children in another order: {text}");
    }
    check_counts(&document);
}

fn check_value(name: &str, value: &str) {
    match name {
        "tests" | "failures" | "errors" | "skipped" => {
            value.parse::<u32>().unwrap_or_else(|_| panic!("{name}={value}"));
        }
        "time" => assert!(value.parse::<f64>().expect("a number") >= 0.0),
        "timestamp" => assert!(value.parse::<jiff::civil::DateTime>().is_ok() && value.len() == 19),
        _ => {}
    }
}

/// The numbers in the attributes are those of the elements.
fn check_counts(document: &roxmltree::Document<'_>) {
    let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
    let pairs = [
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ];
    for element in document.descendants().filter(|node| node.has_attribute("tests")) {
        for (attribute, name) in pairs {
            let told = element.attribute(attribute).expect("the attribute");
            assert_eq!(told.parse(), Ok(count(name)), "{attribute}");
        }
    }
}

#[test]
fn a_run_fits_the_schema() {
    let text = xml(sample::varied());
    check(&text);
    for part in [
        "hostname=\"host\"",
        "timestamp=\"2026-01-02T03:04:05\"",
        "message=\"guest did not boot: no prompt within 5 s",
        "try 1: FAIL after 4.31 s: the migration ended as `failed`",
        "known failure: slirp has no IPv6 here (https://example.org/7)",
        "while rebooting vm1 --&gt; running `uname`",
        "name=\"reboot (2)\"",
        "warning: it took long",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn each_outcome_has_its_element() {
    for (outcome, element) in [
        (Outcome::Pass, ""),
        (Outcome::Warn, ""),
        (Outcome::Fail, "failure"),
        (Outcome::Error, "error"),
        (Outcome::Interrupted, "error"),
        (Outcome::Skip, "skipped"),
        (Outcome::Cancel, "skipped"),
    ] {
        let finished = TestFinished { message: "why".into(), ..sample::test_finished(1, outcome) };
        let text = xml(sample::test(sample::test_started(1, "boot"), finished));
        check(&text);
        for name in ["failure", "error", "skipped"] {
            assert_eq!(text.contains(&format!("<{name} ")), name == element, "{text}");
        }
        assert_eq!(text.contains("message=\"why\""), !element.is_empty(), "{text}");
    }
}

#[test]
fn what_never_ended_is_an_error() {
    let events = [sample::run_started(2), What::TestStarted(sample::test_started(1, "boot"))];
    let text = xml(events);
    check(&text);
    assert!(text.contains("<error message=\"the events end before the test did\""), "{text}");
    assert!(text.contains("the events end before the run did"), "{text}");
    check(&xml([]));
}

#[test]
fn what_a_guest_sent_stays_text() {
    for nasty in sample::NASTY {
        for outcome in [Outcome::Fail, Outcome::Skip, Outcome::Pass] {
            let own = || nasty.to_owned();
            let started =
                TestStarted { shortname: own(), subtest: own(), ..sample::test_started(1, "x") };
            let finished = TestFinished {
                message: own(),
                contexts: vec![own()],
                location: Some(own()),
                output: Some(own()),
                ..sample::test_finished(1, outcome)
            };
            let note = kvmtest::test::Note::Warning { message: own() };
            let text = xml([
                What::RunStarted(crate::event::RunStarted {
                    argv: vec![own()],
                    host: crate::event::Host { name: own(), kernel: own(), ..Default::default() },
                    ..match sample::run_started(1) {
                        What::RunStarted(started) => started,
                        _ => unreachable!(),
                    }
                }),
                What::TestStarted(started),
                What::Note { test: 1, note },
                What::TestFinished(finished),
                What::Remark { message: own() },
            ]);
            check(&text);
            let document = roxmltree::Document::parse(&text).expect("XML");
            assert!(!document.descendants().any(|node| node.has_tag_name("x")), "{text}");
        }
    }
}

#[test]
fn the_command_is_one_for_a_shell() {
    let started = match sample::run_started(1) {
        What::RunStarted(started) => started,
        other => panic!("{other:?}"),
    };
    let argv = ["kvmtest", "run", "mem = 512", "it's"].map(str::to_owned).to_vec();
    let text = xml([What::RunStarted(crate::event::RunStarted { argv, ..started })]);
    let document = roxmltree::Document::parse(&text).expect("XML");
    let mut properties = document.descendants();
    let command = properties.find(|it| it.attribute("name") == Some("command")).expect("told");
    assert_eq!(command.attribute("value"), Some(r"kvmtest run 'mem = 512' 'it'\''s'"));
}
