//! Which tests are run: what is typed, and what is said where it finds nothing or makes no sense.

use kvmtest_tests::Sandbox;

#[test]
fn every_kind_of_mistake_has_its_exit_status() {
    let sandbox = Sandbox::new();
    let check = |what: &[&str], code: i32, parts: [&str; 2]| {
        for command in ["run", "list", "show"] {
            let ended = sandbox.kvmtest([&[command], what].concat());
            ended.code(code).is_clean().says(parts);
            assert!(ended.stdout.is_empty(), "{ended}");
        }
    };
    for malformed in ["", " ", "..", ",", "boot,,shutdown", "boot,", "a...b", ".a", "!boot", "a*"] {
        check(&[malformed], 2, ["`", "Usage: kvmtest"]);
        check(&["boot", malformed], 2, ["`", "Usage: kvmtest"]);
    }
    check(&["only"], 2, ["`only` alone is no statement", "'only …'"]);
    check(&["boot", "only ("], 2, ["<command line>:1", "^"]);
    check(&["nothing-of-the-kind"], 4, ["no variant has", "kvmtest list"]);
    check(&["boot", "small..wide"], 4, ["no variant matches `small..wide`", "together"]);
    check(&["boot, small..wide"], 4, ["no variant matches `small..wide`", "together"]);
    check(
        &["--set", "quick", "boot", "wide"],
        4,
        ["matches `wide` in set `quick`", "in the set `full`"],
    );
    check(&["--defaults", "boot", "smp2"], 4, ["matches `smp2`", "`--defaults` leaves none"]);
    check(&["--config", "gone.cfg"], 3, ["gone.cfg", "no such file"]);
    assert!(!sandbox.work.join("results").exists(), "nothing was run");
}

#[test]
fn the_set_is_the_first_that_has_all() {
    let sandbox = Sandbox::new();
    let set = |what: &[&str]| {
        let named = |set: &&str| {
            let all = [&["list", "--format", "count", "--set", set], what].concat();
            sandbox.kvmtest(all).stdout
                == sandbox.kvmtest([&["list", "-f", "count"], what].concat()).stdout
        };
        ["quick", "standard", "full"].into_iter().find(named)
    };
    assert_eq!(set(&["boot"]), Some("quick"));
    assert_eq!(set(&["boot", "wide..shutdown"]), Some("full"));
    assert_eq!(set(&["boot, wide..shutdown"]), Some("full"));
}

#[test]
fn names_of_machines_are_checked_before_anything_runs() {
    let sandbox = Sandbox::new();
    let check = |statements: &[&str], part: &str| {
        for more in [&["--list-only"][..], &[]] {
            let ended = sandbox.kvmtest([&["run", "boot"], statements, more].concat());
            ended.code(3).is_clean().says([part, "(<command line>:1)"]);
        }
    };
    check(&["vms = vm1 vm1"], "`vm1` is there twice");
    check(&["vms = ../x"], "`../x` is none");
    check(&["vms = a/b"], "`a/b` is none");
    check(&[&format!("vms = {}", "x".repeat(300))], "names of up to 40 letters");
    check(&["main_vm = vm2"], "one of the machines in `vms`, `vm1`: `main_vm = vm2`");
    check(&["nics = a a"], "`nics` must be names that differ");
    assert!(!sandbox.work.join("results").exists(), "nothing was run");
    sandbox.is_empty();
}

#[test]
fn a_key_that_nobody_reads_is_told_and_the_tests_run() {
    let sandbox = Sandbox::new();
    let ended = sandbox.kvmtest(["list", "boot", "memm = 1024", "mem_vm1 = 512"]);
    ended.code(0).says(["no test reads `memm`", "did you mean `mem`?"]).does_not_say("mem_vm1");
    assert!(!ended.stdout.is_empty());
    sandbox.fake("obeys", &["boot", "login_timout = 5"]).code(0).says([
        "no test reads `login_timout`",
        "did you mean `login_timeout`?",
        "PASS",
    ]);
}

#[test]
fn a_part_without_tests_is_a_success_with_reports() {
    let sandbox = Sandbox::new();
    let ended = sandbox.fake("obeys", &["boot", "--shard", "3/3"]);
    ended.code(0).is_clean().says(["shard 3/3: 0 of 1 test", "nothing is to be run here"]);
    let read = |file: &str| {
        std::fs::read_to_string(sandbox.latest().join(file))
            .unwrap_or_else(|why| panic!("{file}: {why}"))
    };
    assert!(read("junit.xml").contains("<testsuites name=\"kvmtest\" tests=\"0\""));
    assert!(read("results.tap").starts_with("TAP version 14\n1..0\n"));
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).expect("JSON");
    assert_eq!(summary["tests"], serde_json::json!([]));
    assert!(read("results.html").contains("0 of 1 test"));
    for format in ["console", "json", "junit", "tap", "html"] {
        sandbox.kvmtest(["report", "--format", format]).code(0).is_clean();
    }
    sandbox.is_empty();
}

#[test]
fn numbers_and_times_that_are_none_are_told_what_would_be_right() {
    let sandbox = Sandbox::new();
    let check = |option: &str, value: &str, part: &str| {
        let ended = sandbox.kvmtest(["run", "--list-only", option, value]);
        ended.code(2).is_clean().says([option, value, part]).does_not_say("tip:");
    };
    for value in ["-1", "0", "x", "1.5"] {
        check("--jobs", value, "a number from 1 on, or `auto`");
    }
    for value in ["-1", "x", "99999999999"] {
        check("--retries", value, "a whole number: how often at most");
        check("--repeat-until-fail", value, "a whole number: how often at most");
    }
    check("--timeout", "0", "leave `--timeout` out for none");
    for value in ["-1", "-5m", "soon"] {
        check("--timeout", value, "a time: seconds, or a number with");
    }
    check("--shard", "-1/3", "`1/3` is the first of three");
    let both = sandbox.kvmtest(["run", "--retries", "1", "--repeat-until-fail", "1"]);
    both.code(2).says(["cannot be used with"]);
    sandbox
        .kvmtest(["run", "--help"])
        .says(["Not together with `--repeat-until-fail`", "Not together with `--retries`"]);
}

#[test]
fn the_list_of_known_failures_is_checked_by_a_list_as_well() {
    let sandbox = Sandbox::new();
    let check = |text: &str, parts: [&str; 2]| {
        std::fs::write(sandbox.work.join("known.toml"), text).expect("written");
        for more in [&["--list-only"][..], &[]] {
            let known = ["run", "boot", "--known-failures", "known.toml"];
            sandbox.kvmtest([&known, more].concat()).code(3).is_clean().says(parts);
        }
    };
    let good = "reason = 'r'\nexpires = 2099-12-31\n";
    check(
        &format!("[[failure]]\ntests = 'boot'\n{good}[[failure]]\ntests = 'bot'\n{good}"),
        ["known.toml:5: no test of the configuration matches `bot`", "kvmtest list"],
    );
    check(
        "[[failure]]\ntests = 'boot'\nraeson = 'r'\nexpires = '2099-12-31'\n",
        [
            "known.toml:3: unknown key `raeson`: did you mean `reason`?",
            "known.toml:4: `expires` must be a day without quotes, as `2026-12-31`",
        ],
    );
    // One for tests that were not chosen is right.
    let others = format!("[[failure]]\ntests = 'wide..shutdown'\n{good}");
    std::fs::write(sandbox.work.join("known.toml"), others).expect("written");
    let list = ["run", "boot", "--list-only", "--known-failures", "known.toml"];
    sandbox.kvmtest(list).code(0).is_clean();
    sandbox.kvmtest([&list[..], &["only small"]].concat()).code(0).is_clean();
}

#[test]
fn results_that_are_not_there_are_told() {
    let sandbox = Sandbox::new();
    let check = |what: &[&str], code: i32, parts: [&str; 2]| {
        let ended = sandbox.kvmtest(what);
        ended.code(code).is_clean().says(parts).does_not_say("os error");
    };
    check(&["report"], 3, ["no results in results/latest", "`kvmtest run` makes"]);
    check(&["run", "--rerun"], 3, ["no results in results", "`--rerun=RESULTS` names a run"]);
    std::fs::create_dir(sandbox.work.join("results")).expect("made");
    check(&["report", "results"], 3, ["results is no run", "no run is in it"]);
    check(&["run", "--rerun"], 3, ["results is no run", "no run is in it"]);
    sandbox.fake("obeys", &["boot", "--shard", "2/2"]).code(0);
    sandbox.kvmtest(["report", "results"]).code(0).says(["shard 2/2"]);
    check(&["report", "-o", "gone/page"], 3, ["there is no folder gone", "mkdir -p gone"]);
    check(&["report", "-o", "results"], 3, ["results is a folder", "name the file"]);
    check(&["report", "-q", "-f", "json"], 2, ["--quiet", "`--format console`"]);
}
