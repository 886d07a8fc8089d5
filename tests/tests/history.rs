//! What is known of earlier runs, and what comes of it: `kvmtest history`, `--rerun`, the order
//! of tests, known failures.

use kvmtest_tests::{Ended, Sandbox};
use serde_json::Value;

const CONFIG: &str = "
variants:
    - install:
    - boot: install
        alone = yes
    - other:
        used_cpus = 3
type = boot
";

fn write(sandbox: &Sandbox, file: &str, text: &str) {
    std::fs::write(sandbox.work.join(file), text).expect("written");
}

/// Two runs of `boot`: one that passes, and one that cannot be carried out.
fn passed_and_failed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.fake("obeys", &["boot"]).code(0).is_clean();
    sandbox.fake("obeys", &["boot", "login_timeout = soon"]).code(1);
    sandbox
}

fn json(ended: &Ended) -> Value {
    ended.code(0);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn a_list_is_what_would_run_and_runs_nothing() {
    let sandbox = Sandbox::new();
    write(&sandbox, "mine.cfg", CONFIG);
    let run = |args: &[&str]| {
        let all = ["run", "--config", "mine.cfg", "--list-only"].into_iter();
        sandbox.kvmtest(all.chain(args.iter().copied()))
    };
    let listed = run(&[]);
    listed.code(0).is_clean();
    let lines: Vec<&str> = listed.stdout.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "   test     subtest  CPUs       MiB  time  after",
            "1  install  boot     0          0",
            "2  boot     boot     0 (alone)  0          install",
            "3  other    boot     3          0",
        ]
    );
    run(&["boot", "--with-deps"]).code(0).says(["1  install", "2  boot"]);
    run(&["--shard", "1/2"]).code(0).says(["shard 1/2: 2 of 3 tests, division "]);
    run(&["--shuffle=7"]).code(0).says(["--shuffle=7"]);
    run(&["--shuffle"]).code(0).says(["`--shuffle="]);
    run(&["--shard", "3/2"]).code(2).says(["`1/3` is the first of three"]);
    run(&["--shuffle=x"]).code(2);
    run(&["--shuffle", "--order", "slowest-first"]).code(2);
    run(&["--rerun"]).code(3).says(["there are no results in results", "`kvmtest run` makes"]);
    assert!(!sandbox.work.join("results").exists());
    sandbox.is_empty();
}

#[test]
fn a_history_tells_of_every_run_and_can_be_made_anew() {
    let sandbox = passed_and_failed();
    sandbox
        .kvmtest(["history"])
        .code(0)
        .is_clean()
        .says(["small.boot", "2     50%     50%    ERROR"]);
    let before = json(&sandbox.kvmtest(["history", "--format", "json"]));
    assert_eq!((&before["version"], &before["tests"][0]["runs"]), (&1.into(), &2.into()));
    assert_eq!(before["tests"][0]["singles"], Value::Null);
    let of_test = json(&sandbox.kvmtest(["history", "-f", "json", "boot"]));
    let singles = of_test["tests"][0]["singles"].as_array().expect("two").clone();
    assert_eq!(
        (singles.len(), &singles[0]["outcome"], &singles[1]["outcome"]),
        (2, &"ERROR".into(), &"PASS".into())
    );
    let told = sandbox.kvmtest(["history", "boot"]);
    told.code(0).is_clean().says(["50%", "when", "PASS", "ERROR"]);
    for single in &singles {
        told.says([format!("results/{}", single["directory"].as_str().expect("a name")).as_str()]);
    }
    for format in ["table", "json"] {
        let nothing = sandbox.kvmtest(["history", "-f", format, "bot"]);
        nothing.code(4).is_clean().says(["no test that was ever run matches `bot`", "`boot`"]);
        assert!(nothing.stdout.is_empty());
    }
    write(
        &sandbox,
        "results/history.sqlite",
        "no database, but long enough to be one of some sort",
    );
    sandbox.kvmtest(["history"]).code(3).says(["kvmtest history --rebuild"]);
    // A run does not fail because of it.
    sandbox.fake("obeys", &["boot"]).code(0).says(["the run is not in the history"]);
    let ended = sandbox.kvmtest(["history", "--rebuild", "--format", "json"]);
    assert_eq!(json(&ended)["tests"][0]["runs"], 3);
    ended.says(["history.sqlite is made of 3 runs"]);
    sandbox.kvmtest(["history", "a*"]).code(2).says(["`a*` is no filter"]);
    sandbox.kvmtest(["history", "--results", "nowhere"]).code(0).says(["no run has left"]);
    let nothing = sandbox.kvmtest(["history", "--results", "nowhere", "boot"]);
    nothing.code(4).says(["no run has left"]);
    assert!(!sandbox.work.join("nowhere").exists());
}

#[test]
fn what_failed_is_run_again_until_nothing_fails() {
    let sandbox = passed_and_failed();
    sandbox.fake("obeys", &["--rerun"]).code(0).is_clean().says(["1 of 1 tests", "PASS   boot"]);
    sandbox.fake("obeys", &["--rerun"]).code(4).says(["nothing failed in the run of"]);
}

#[test]
fn a_known_failure_fails_nothing_until_it_is_none() {
    let sandbox = Sandbox::new();
    let entry = "[[failure]]\ntests = 'boot'\nreason = 'nobody is there'\nexpires = 9999-01-01\n";
    write(&sandbox, "known.toml", entry);
    let run = |what: &[&str]| {
        sandbox.fake("obeys", &[&["boot", "--known-failures", "known.toml"], what].concat())
    };
    run(&["login_timeout = soon"]).code(0);
    run(&[]).code(1).says(["known.toml:1: `boot` does not fail any more"]);
    write(&sandbox, "known.toml", &entry.replace("9999", "2020"));
    run(&["login_timeout = soon"])
        .code(1)
        .says(["known.toml:1: ", "of `boot` expired on 2020-01-01"]);
    write(&sandbox, "known.toml", "[[failure]]\ntests = 'boot'\nexpires = 9999-01-01\n");
    run(&[]).code(3).says(["known.toml:1: the known failure has no `reason`"]);
    sandbox.fake("obeys", &["boot", "unstable = yes"]).code(1).says(["`unstable_reason`"]);
}
