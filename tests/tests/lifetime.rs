//! Which machine a test gets, and that the result says why.

use kvmtest_tests::{Ended, Sandbox};

/// Runs `nothing` on the fake QEMU, which cannot be saved, with these statements.
fn run(sandbox: &Sandbox, statements: &[&str]) -> Ended {
    sandbox.fake("obeys", &[&["nothing"], statements].concat())
}

/// The fact of the last run's only test.
fn fact(sandbox: &Sandbox) -> String {
    let result = sandbox.result();
    result["facts"]["vm_lifetime_vm1"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned()
}

#[test]
fn the_result_says_which_machine_it_was_and_why() {
    let sandbox = Sandbox::new();
    let check = |statements: &[&str], expected: &str| {
        run(&sandbox, statements).code(0);
        let fact = fact(&sandbox);
        assert!(fact.starts_with(expected), "{statements:?}: `{fact}`");
        let page = std::fs::read_to_string(sandbox.latest().join("results.html")).expect("a page");
        assert!(page.contains("vm_lifetime_vm1"));
        let log = std::fs::read_to_string(sandbox.latest().join("001-nothing/debug.log"));
        let log = log.expect("a log");
        assert!(log.contains(&format!("vm_lifetime_vm1 = {expected}")), "{log}");
        assert!(log.trim_end().ends_with("finished: PASS"), "{log}");
        // Of steps that had nothing to do there is nothing to say.
        assert!(!log.contains("pre_command") && !log.contains("hugepages"), "{log}");
    };
    check(&[], "living: `vm_lifetime = living`; started, because it is not there; booted");
    check(&["vm_lifetime = fresh"], "fresh: `vm_lifetime = fresh`; booted");
    check(&["restart_vm = yes"], "fresh: `restart_vm = yes`; booted");
    check(&["start_vm = no"], "living: `start_vm = no`: it is left as it is; not touched");
    let boot = ["vm_lifetime = auto", "guest_use = boot"];
    check(&boot, "fresh: `guest_use = boot`: the test is about booting; booted");
    check(&["kill_vm = no"], "living: `vm_lifetime = living`; started");
    check(&["kill_vm = no"], "living: `vm_lifetime = living`; reused");
    // What says that a living one is right has one, whoever had it before.
    check(&["kill_vm = no", "guest_use = dirty"], "living: `vm_lifetime = living`; reused");
    check(&["kill_vm = yes"], "living: `vm_lifetime = living`; reused");
    sandbox.is_empty();
}

#[test]
fn auto_takes_no_machine_that_another_test_may_have_changed() {
    let sandbox = Sandbox::new();
    let auto = |statements: &[&str]| {
        // Nobody can log in to it, so it boots where it has to be started.
        let own = ["vm_lifetime = auto", "kill_vm = no", "del username"];
        run(&sandbox, &[&own, statements].concat()).code(0);
        fact(&sandbox)
    };
    let check = |fact: &str, part: &str| assert!(fact.contains(part), "`{fact}` lacks `{part}`");
    let keep = |guest_use: &str| {
        run(&sandbox, &["kill_vm = no", "restart_vm = yes", guest_use]).code(0);
    };
    keep("guest_use = clean");
    check(&auto(&["guest_use = clean"]), "; reused");
    check(&auto(&["guest_use = clean"]), "; reused");
    for guest_use in ["guest_use = dirty", "guest_use = boot"] {
        keep(guest_use);
        check(&auto(&["guest_use = clean"]), "because another test may have changed its guest");
    }
    // Nobody has said anything about it.
    keep("del guest_use");
    check(&auto(&["guest_use = clean"]), "because another test may have changed its guest");
    // A failure may have been in the middle of anything.
    keep("guest_use = clean");
    let fails = ["kill_vm = no", "guest_use = clean", "post_command = false"];
    run(&sandbox, &fails).code(1);
    let told = auto(&["guest_use = clean"]);
    check(&told, "; reused");
    let fails = ["kill_vm = no", "guest_use = clean", "test_timeout = 0"];
    run(&sandbox, &fails).code(1);
    check(&auto(&["guest_use = clean"]), "because another test may have changed its guest");
    sandbox.kvmtest(["env", "kill"]).code(0);
    sandbox.is_empty();
}

#[test]
fn where_there_can_be_no_state_auto_boots_and_snapshot_is_an_error() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.work.join("kernel"), "no kernel").expect("written");
    // Several machines write to it, so that no state of it is of use.
    std::fs::write(sandbox.work.join("shared.raw"), [0; 4096]).expect("written");
    let path = format!("image_name = {}", sandbox.work.join("shared.raw"));
    let shared = ["images = shared", &path, "image_format = raw", "image_shareable = yes"];
    let with = |lifetime: &str| run(&sandbox, &[&shared[..], &[lifetime]].concat());
    let why = "whose image `shared` others write to";
    with("vm_lifetime = auto").code(0).says(["WARN", "boots, because there can be no state", why]);
    let told = fact(&sandbox);
    assert!(told.starts_with("living: ") && told.contains("; booted: no state can be"), "{told}");
    with("vm_lifetime = snapshot").code(1).says(["ERROR", why]);
    let dirty = [&shared[..], &["vm_lifetime = auto", "guest_use = dirty"]].concat();
    run(&sandbox, &dirty).code(0).says(["WARN", "boots, because there can be no state", why]);
    assert!(fact(&sandbox).starts_with("fresh: "), "{}", fact(&sandbox));
    // It is found out once in a run.
    let twice = [&dirty[..], &["--repeat-until-fail", "3"]].concat();
    let ended = run(&sandbox, &twice);
    ended.code(0);
    let events = std::fs::read_to_string(sandbox.latest().join("events.jsonl")).expect("kept");
    assert_eq!(events.matches("boots, because there can be no state").count(), 1, "{events}");
    assert!(events.contains("; booted: as an earlier test found: no state can be"), "{events}");
    // Nobody can log in, so nobody tries.
    let nobody = ["del username", "vm_lifetime = auto", "guest_use = dirty"];
    run(&sandbox, &nobody).code(0).says(["PASS"]);
    assert!(fact(&sandbox).starts_with("fresh: no state of it: nothing says how to log in"));
    let nobody = ["del username", "vm_lifetime = snapshot"];
    run(&sandbox, &nobody).code(1).says(["ERROR", "nothing says how to log in (`username`)"]);
    sandbox.is_empty();
}

#[test]
fn what_makes_a_state_is_known_before_anything_is_done() {
    let sandbox = Sandbox::new();
    let check = |statements: &[&str], part: &str| {
        let own = ["vm_lifetime = snapshot", "pre_command = touch done"];
        run(&sandbox, &[&own, statements].concat()).code(1).says(["ERROR", part]);
        assert!(!sandbox.work.join("done").exists(), "{statements:?}");
    };
    check(&["vm_state = web"], "nothing says how the state `web` is made, which `vm_state` wants");
    check(&["vm_state = web"], "planning the VM `vm1`");
    let from = ["vm_state = site", "state_from_site = web"];
    check(&from, "the state `web` is made, which `state_from_site` wants (<command line>");
    let circle = ["vm_state = a", "state_from_a = b", "state_from_b = a"];
    check(&circle, "the state `a` would be made from itself: a -> b -> a");
    check(&["vm_state = a b"], "`vm_state` must be");
    let subtest = ["vm_state = web", "state_subtest_web = bot"];
    check(&subtest, "the VM `vm1`: there is no subtest `bot` (`state_subtest_web`, <command line>");
    check(&subtest, "); did you mean `boot`");
    let ended = run(&sandbox, &["type = nix"]);
    ended.code(1).says(["there is no subtest `nix` (`type`, ", "); there are balloon, boot, "]);
    // Who wants no state of it needs none of what makes it.
    let other = [&subtest[..], &["vm_lifetime = living"]].concat();
    run(&sandbox, &other).code(0);
    sandbox.is_empty();
}

#[test]
fn every_subtest_that_ships_says_what_it_does_to_its_guest() {
    let sandbox = Sandbox::new();
    let ended = sandbox.kvmtest(["list", "--set", "full", "--format", "jsonl"]);
    let tests = ended.code(0).stdout.lines();
    let mut subtests = std::collections::BTreeSet::new();
    for line in tests {
        let test: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let name = test["name"].as_str().expect("a name");
        let param = |key: &str| test["params"][key].as_str();
        let known = ["clean", "dirty", "boot"];
        assert!(param("guest_use").is_some_and(|it| known.contains(&it)), "{name}: `guest_use`");
        let is_perturbed = param("perturb") != Some("no");
        assert!(is_perturbed || param("perturb_reason").is_some(), "{name}: `perturb_reason`");
        subtests.insert(param("type").expect("a subtest").to_owned());
    }
    assert!(subtests.len() > 10, "{subtests:?}");
    let quick = sandbox.kvmtest(["list", "--set", "quick", "--format", "jsonl"]);
    for line in quick.code(0).stdout.lines() {
        let test: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(test["params"]["vm_lifetime"], "auto");
    }
}
