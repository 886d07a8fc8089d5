//! Subtests in Python on a real guest.

use kvmtest_tests::{Sandbox, python_package, skip, tree};

/// The words of the page that this project starts from.
const SNIPPET: &str = r#"
import kvm_test_utils

def run_foo(test, params, env):
    vm = kvm_test_utils.get_living_vm(env, params.get("main_vm"))
    session = kvm_test_utils.wait_for_login(vm)
    session.sendline("uname -r")
    status, output = session.cmd_status_output("uname -r")
    twin = vm.clone("twin")
    print(vm.send_monitor_cmd("info status"))
"#;

fn sandbox() -> Option<Sandbox> {
    match Sandbox::with_guests() {
        Ok(sandbox) => {
            python_package();
            Some(sandbox)
        }
        Err(why) => {
            skip(&why.to_string());
            None
        }
    }
}

#[test]
fn the_historical_words_run_unchanged() {
    let Some(sandbox) = sandbox() else { return };
    std::fs::write(sandbox.work.join("foo.py"), SNIPPET).expect("written");
    sandbox.kvmtest(["run", "--subtests", ".", "foo"]).code(0).says(["PASS   foo"]);
    let printed = sandbox.latest().join("001-foo/stdout.log");
    let printed = std::fs::read_to_string(printed).expect("an output");
    assert_eq!(printed.trim(), "VM status: running");
    // Broken: the message names the line and the cause.
    let check = |from: &str, to: &str, line: &str, cause: &str| {
        let text = SNIPPET.replacen(from, to, 1);
        assert_ne!(text, SNIPPET, "{from}");
        std::fs::write(sandbox.work.join("foo.py"), text).expect("written");
        let ended = sandbox.kvmtest(["run", "--subtests", ".", "foo"]);
        ended.code(1).is_clean().says([line, cause]);
    };
    check("get_living_vm(env", "get_living_wm(env", "foo.py:5", "get_living_wm");
    check("main_vm", "main_wm", "foo.py:5", "main_wm");
    check(r#"cmd_status_output("uname -r")"#, r#"cmd("false")"#, "foo.py:8", "false");
    check(r#"vm.clone("twin")"#, "clone(vm)", "foo.py:9", "NameError");
}

#[test]
fn those_that_ship_pass() {
    let Some(sandbox) = sandbox() else { return };
    let files = tree().join("subtests/python").read_dir_utf8().expect("listed");
    let names: Vec<String> = files
        .filter_map(|file| {
            file.expect("an entry").file_name().strip_suffix(".py").map(str::to_owned)
        })
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in &names {
        sandbox.kvmtest(["run", "--set", "standard", name]).code(0).says(["1 passed"]);
    }
}

#[test]
fn what_a_subtest_lacks_is_a_skip() {
    let Some(sandbox) = sandbox() else { return };
    let args = ["run", "--set", "standard", "two_vms", "balloon", "vms = vm1", "balloon = no"];
    sandbox.kvmtest(args).code(0).says(["2 skipped", "vms = vm1 vm2", "balloon = yes"]);
}
