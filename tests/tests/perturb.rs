//! `--perturb`: what is typed, told and replayed, and who is spared.

use kvmtest_tests::{Ended, Sandbox};
use serde_json::Value;

/// Runs `what` on a fake machine that is there, and on which nothing is done.
fn run(sandbox: &Sandbox, what: &[&str]) -> Ended {
    sandbox.fake("obeys", what)
}

/// What the first event says.
fn started(sandbox: &Sandbox) -> Value {
    let events = std::fs::read_to_string(sandbox.latest().join("events.jsonl")).expect("events");
    serde_json::from_str(events.lines().next().expect("a first event")).expect("JSON")
}

/// The param of the only test of the last run.
fn param(sandbox: &Sandbox, key: &str) -> Option<String> {
    let latest = sandbox.latest();
    let mut entries = latest.read_dir_utf8().expect("results").flatten();
    let folder = entries.find(|entry| entry.path().is_dir()).expect("a test");
    let text = std::fs::read_to_string(folder.path().join("params.json")).expect("params");
    let params: Value = serde_json::from_str(&text).expect("JSON");
    let found = params.as_array().into_iter().flatten().find(|entry| entry["key"] == key);
    found.map(|entry| entry["value"].as_str().expect("text").to_owned())
}

#[test]
fn what_is_no_transition_is_refused_before_anything_is_done() {
    let sandbox = Sandbox::new();
    let check = |typed: &str, part: &str| {
        let ended = sandbox.kvmtest(["run", "nothing", "--perturb", typed]);
        ended.code(2).says([part, "--perturb <KIND[@SEED]>"]);
    };
    check("", "`` is no transition");
    check("sleep", "`sleep` is no transition: there are `migrate`, `restore`, `pause`, `fork`");
    check("Migrate", "is no transition");
    check("migrate,fork", "is no transition");
    check("-1", "`-1` is no transition");
    check("migrate@", "`` is no seed: a whole number");
    check("migrate@x", "`x` is no seed");
    check("migrate@-1", "`-1` is no seed");
    check("migrate@1.5", "`1.5` is no seed");
    check("migrate@18446744073709551616", "is no seed");
    sandbox.kvmtest(["run", "nothing", "--perturb"]).code(2);
    assert!(!sandbox.work.join("results").exists());
}

#[test]
fn a_seed_is_told_and_brings_everything_back() {
    let sandbox = Sandbox::new();
    let check = |typed: &str, order: &str| {
        let ended = run(&sandbox, &["nothing", "--perturb", typed]);
        let first = format!("running 1 test of the set `standard` under `--perturb {order}`");
        ended.code(0).says([&*first, "1 passed; no transitions"]);
        assert_eq!(param(&sandbox, "perturb_with").as_deref(), Some(order));
        assert!(param(&sandbox, "perturb_stream").is_some_and(|name| name.ends_with("nothing")));
        // All that is made of the events has it.
        let started = started(&sandbox);
        assert_eq!(started["perturb"], order);
        let argv: Vec<&str> =
            started["argv"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
        assert_eq!(argv[argv.len() - 2..], ["--perturb", order]);
        for file in ["summary.json", "results.html", "junit.xml"] {
            let text = std::fs::read_to_string(sandbox.latest().join(file)).expect(file);
            assert!(text.contains(order), "{file} lacks {order}");
        }
    };
    check("pause@42", "pause@42");
    check("migrate@18446744073709551615", "migrate@18446744073709551615");
    // Drawn, told, and replayed by what was told.
    run(&sandbox, &["nothing", "--perturb", "fork"]).code(0);
    let drawn = started(&sandbox)["perturb"].as_str().expect("an order").to_owned();
    let seed = drawn.strip_prefix("fork@").and_then(|seed| seed.parse::<u64>().ok());
    assert!(seed.is_some(), "{drawn}");
    check(&drawn, &drawn);
    // Whoever asks for nothing gets nothing.
    run(&sandbox, &["nothing"]).code(0).does_not_say("--perturb");
    assert_eq!(param(&sandbox, "perturb_with"), None);
    assert_eq!(started(&sandbox).get("perturb"), None);
    sandbox.is_empty();
}

#[test]
fn a_test_that_cannot_stand_it_is_skipped_with_its_reason() {
    let sandbox = Sandbox::new();
    let refuses = ["nothing", "perturb = no", "perturb_reason = it counts its machines"];
    let perturbed = |what: &[&str]| run(&sandbox, &[what, &["--perturb", "fork@1"]].concat());
    let ended = perturbed(&refuses);
    ended.code(0).says(["SKIP", "not under `--perturb fork@1`: it counts its machines"]);
    assert_eq!(sandbox.result()["finished"]["outcome"], "SKIP");
    run(&sandbox, &refuses).code(0).says(["PASS"]);
    // Without a reason it is wrong, perturbed or not.
    let rude = ["nothing", "perturb = no"];
    for ended in [perturbed(&rude), run(&sandbox, &rude)] {
        ended.code(1).says(["ERROR", "`perturb = no` without a reason", "`perturb_reason`"]);
    }
    for (statement, part) in [
        ("perturb = never", "`perturb` must be"),
        ("perturb_rate = 2", "`perturb_rate` must be"),
        ("perturb_rate_vm1 = often", "`perturb_rate` must be"),
    ] {
        perturbed(&["nothing", statement]).code(1).says(["ERROR", part]);
    }
    // A seed may stand in a configuration, and has to be there.
    run(&sandbox, &["nothing", "perturb_with = fork"]).code(1).says(["`fork` has no seed"]);
    run(&sandbox, &["nothing", "perturb_with = fork@3"]).code(0);
    assert!(param(&sandbox, "perturb_stream").is_some());
    sandbox.is_empty();
}

#[test]
fn what_is_run_again_is_told_how_it_was_perturbed() {
    let sandbox = Sandbox::new();
    let fails = ["nothing", "vm_lease = x"];
    run(&sandbox, &[&fails[..], &["--perturb", "pause@5"]].concat()).code(1);
    let hint = "that run was perturbed: add `--perturb pause@5` for the same";
    run(&sandbox, &[&fails[..], &["--rerun"]].concat()).code(1).says([hint]);
    run(&sandbox, &[&fails[..], &["--perturb", "pause@5"]].concat()).code(1);
    let again = run(&sandbox, &[&fails[..], &["--rerun", "--perturb", "pause@6"]].concat());
    again.code(1).does_not_say("that run was perturbed");
    sandbox.is_empty();
}
