//! What a run leaves on the disk, and the code it ends with.

use std::io::Read;

use camino::Utf8Path;
use serde_json::Value;

use crate::program::{Ground, text};

fn json(path: &Utf8Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_run_leaves_its_tree() {
    let ground = Ground::new();
    let output = ground.run(&["passes", "fails"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for part in ["running 2 tests", "PASS   passes", "FAIL   fails", "it is broken", "results: "] {
        assert!(shown.contains(part), "{shown} lacks {part}");
    }
    let latest = ground.latest();
    let failed = json(&latest.join("001-fails/result.json"));
    assert_eq!((&failed["finished"]["outcome"], &failed["version"]), (&"FAIL".into(), &1.into()));
    let passed = json(&latest.join("002-passes/result.json"));
    assert_eq!(passed["facts"]["speed"], "9");
    assert_eq!(passed["phases"].as_array().map(Vec::len), Some(3));
    assert!(json(&latest.join("002-passes/params.json")).is_array());
    let summary = json(&latest.join("summary.json"));
    assert_eq!((&summary["counts"]["pass"], &summary["counts"]["fail"]), (&1.into(), &1.into()));
    let junit = std::fs::read_to_string(latest.join("junit.xml")).expect("there");
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"1\""), "{junit}");
    let recorded = kvmtest_runner::event::read(&latest.join("events.jsonl")).expect("read");
    assert!(recorded.broken.is_empty());
    assert!(recorded.events.is_sorted_by_key(|event| event.ms));
    let log = std::fs::read_to_string(latest.join("002-passes/debug.log")).expect("there");
    assert!(log.contains("speed = 9"), "{log}");
    let scratch = ground.path.join("scratch").read_dir_utf8().expect("listed").count();
    assert_eq!(scratch, 0);
}

#[test]
fn all_passed_is_zero() {
    let output = Ground::new().run(&["passes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn nothing_is_started_where_nothing_can_be() {
    let check = |ground: &Ground, what: &[&str], code, part: &str| {
        let output = ground.run(what);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(part), "{said} lacks {part}");
        assert!(!ground.path.join("workers-were-made").exists());
    };
    check(&Ground::new(), &["passed"], 4, "did you mean `passes`?");
    check(&Ground::new(), &["no !: x"], 2, "<command line>");
    check(&Ground::new(), &["passes", "skip = yes"], 4, "skip = yes");
    check(&Ground::new(), &["only"], 2, "`only` alone is no statement");
    check(&Ground::new(), &["include gone.cfg"], 2, "gone.cfg");
    let ground = Ground::new();
    std::fs::write(ground.path.join("results"), "a file").expect("written");
    check(&ground, &["passes"], 3, "making a results directory");
}

#[test]
fn a_disk_that_is_full_loses_results_but_not_the_run() {
    let ground = Ground::new();
    let output = ground.run_with_file_limit(20_000, &["talks", "passes"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{shown}{}", text(&output.stderr));
    assert_eq!(shown.matches("cannot write events.jsonl").count(), 1, "{shown}");
    assert!(shown.contains("PASS   passes") && shown.contains("PASS   talks"), "{shown}");
    let result = json(&ground.latest().join("001-passes/result.json"));
    assert_eq!(result["finished"]["outcome"], "PASS");
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let ground = Ground::new();
    let runs: Vec<_> = (0..2).map(|_| ground.start(&["passes"])).collect();
    for run in runs {
        let output = run.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
    let entries = ground.path.join("results").read_dir_utf8().expect("listed").count();
    assert_eq!(entries, 4, "two directories, `latest` and the history of both");
}

#[test]
fn a_terminal_that_is_gone_is_no_reason_to_stop() {
    let ground = Ground::new();
    let mut run = ground.start(&["passes"]);
    // The test harness speaks first, and would not survive what the program has to.
    let mut stdout = run.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; "\nrunning 1 test\n".len()]).expect("the harness's words");
    drop(stdout);
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    assert!(ground.latest().join("001-passes/result.json").exists());
}
