//! Reports made again.

use kvmtest_tests::Sandbox;
use serde_json::{Value, json};

use crate::record::Record;

fn sample(sandbox: &Sandbox) -> Record {
    let mut record = Record::new(&sandbox.work.join("results/one"), 3);
    record.test(1, "boot", &json!({}));
    record.test(2, "reboot", &json!({"outcome": "FAIL", "message": "no prompt"}));
    std::os::unix::fs::symlink("one", sandbox.work.join("results/latest")).expect("linked");
    record
}

#[test]
fn a_run_is_shown_again_as_it_was() {
    let sandbox = Sandbox::new();
    let ran = sandbox.fake("obeys", &["boot", "shutdown"]);
    ran.code(0);
    let again = sandbox.kvmtest(["report"]);
    again.code(0).is_clean();
    assert_eq!(again.stdout, ran.stdout);
    let latest = sandbox.latest();
    for (format, file) in [
        ("json", "summary.json"),
        ("junit", "junit.xml"),
        ("tap", "results.tap"),
        ("html", "results.html"),
    ] {
        let made = sandbox.kvmtest(["report", "--format", format, "-o", "made"]);
        made.code(0);
        assert!(made.stdout.is_empty() && made.stderr.is_empty(), "{made}");
        let read = |path| std::fs::read_to_string(path).expect("readable");
        let (first, again) = (read(latest.join(file)), read(sandbox.work.join("made")));
        if format == "html" {
            // It lies elsewhere now, so its links are others.
            assert!(again.contains("file:///") && !first.contains("file:///"), "{format}");
        } else {
            assert_eq!(first, again, "{format}");
        }
        assert_eq!(sandbox.kvmtest(["report", "--format", format]).stdout, again, "{format}");
    }
    sandbox.kvmtest(["report", "--quiet"]).code(0).says(["2 tests in"]).does_not_say("boot");
    sandbox.kvmtest(["report", "--verbose"]).code(0).says(["boot: run took"]);
    sandbox.is_empty();
}

#[test]
fn a_page_beside_the_results_goes_with_them() {
    let sandbox = Sandbox::new();
    sample(&sandbox).finish(&json!({"pass": 1, "fail": 1, "not_run": 1}));
    let beside = sandbox.work.join("results/latest/page.html");
    sandbox.kvmtest(["report", "--format", "html", "-o", beside.as_str()]).code(0);
    let page = std::fs::read_to_string(beside).expect("there");
    assert!(page.contains("\"./002-test/\"") && !page.contains("file:///"));
}

#[test]
fn an_event_that_is_torn_costs_itself_only() {
    let sandbox = Sandbox::new();
    let mut record = sample(&sandbox);
    record.finish(&json!({"pass": 1, "fail": 1, "not_run": 1}));
    let text = record.text();
    let lines: Vec<&str> = text.lines().collect();
    let events = sandbox.work.join("results/one/events.jsonl");
    let end = lines.iter().position(|line| line.contains("no prompt")).expect("the failure");
    for (torn, line) in lines.iter().enumerate() {
        let mut changed: Vec<&str> = lines.clone();
        changed[torn] = &line[..line.len() / 2];
        std::fs::write(&events, changed.join("\n")).expect("written");
        let all = ["console", "json", "junit", "tap", "html"];
        for format in if torn == end { &all[..] } else { &all[..1] } {
            let made = sandbox.kvmtest(["report", "--format", format]);
            made.code(0);
            let number = format!("line {} of the events is broken", torn + 1);
            assert!(made.stderr.contains(&number), "{format}: {made}");
            let shows = made.stdout.contains("reboot") || made.stdout.contains("test 2");
            assert!(shows, "{format}, line {torn} torn: {made}");
        }
    }
}

#[test]
fn a_run_that_has_not_ended_is_shown_as_such() {
    let sandbox = Sandbox::new();
    let mut record = sample(&sandbox);
    record.tell(json!({"event": "test-started", "test": 3, "name": "q35.shutdown",
        "shortname": "shutdown", "subtest": "shutdown", "iteration": 1, "directory": "003-x"}));
    record.tell(json!({"event": "phase-started", "test": 3, "phase": "run"}));
    record.write();
    let report = |format: &str| {
        let made = sandbox.kvmtest(["report", "--format", format]);
        made.code(0);
        made.stdout
    };
    let shown = report("console");
    assert!(shown.contains("UNFINISHED") && shown.contains("phase `run`"), "{shown}");
    assert!(shown.contains("unfinished: the events end before the run did"), "{shown}");
    assert!(report("tap").contains("Bail out!"));
    assert!(report("junit").contains("<error message=\"the events end before the test did"));
    assert!(report("html").contains("The run has not ended"));
    let json: Value = serde_json::from_str(&report("json")).expect("JSON");
    assert_eq!((&json["finished"], &json["counts"]["fail"]), (&false.into(), &1.into()));
    assert_eq!(json["tests"][2]["outcome"], Value::Null);
}

#[test]
fn what_is_no_run_is_refused() {
    let sandbox = Sandbox::new();
    sandbox
        .kvmtest(["report"])
        .code(3)
        .says(["no results in results/latest", "`kvmtest run` makes"]);
    sandbox.kvmtest(["report", "gone"]).code(3).says(["gone"]);
    let events = sandbox.work.join("events.jsonl");
    std::fs::write(&events, "").expect("written");
    sandbox.kvmtest(["report", "."]).code(3).says(["no events"]);
    std::fs::write(&events, "\x1b[2Jnonsense\n\n\u{1}").expect("written");
    sandbox.kvmtest(["report", "."]).code(3).is_clean().says(["no events"]);
    std::fs::write(&events, "{\"event\":\"run-started\",\"version\":9}\n").expect("written");
    sandbox.kvmtest(["report", "events.jsonl"]).code(3).says(["version 9"]);
    sandbox.kvmtest(["report", "--format", "pdf"]).code(2).says(["html"]);
    sandbox.kvmtest(["report", "--quiet", "--verbose"]).code(2);
    let mut record = Record::new(&sandbox.work.join("one"), 1);
    record.finish(&json!({}));
    let written = sandbox.kvmtest(["report", "one", "--format", "tap", "-o", "no/such/file"]);
    written.code(3).says(["cannot write no/such/file", "no folder no/such"]);
}
