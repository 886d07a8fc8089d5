//! Which Python runs them.

use kvmtest_tests::{Sandbox, write_executable};

use super::{run, with_files};

const PASSES: &str =
    "import sys\n\ndef run_foo(test, params, env):\n    test.log(sys.executable)\n";

/// A program called `python3` that says what it is told to say.
fn fake(sandbox: &Sandbox, says: &str) -> String {
    let path = sandbox.root.join("python3");
    write_executable(&path, format!("#!/bin/sh\necho '{says}'\n"));
    format!("python_binary = {path}")
}

#[test]
fn one_that_cannot_is_refused_before_anything_is_started() {
    let sandbox = with_files(&[("foo.py", PASSES)]);
    let check = |says: &str, parts: [&str; 2]| {
        let python = fake(&sandbox, says);
        run(&sandbox, &["foo", &python]).code(1).is_clean().says(["ERROR  foo"]).says(parts);
    };
    check(r#"{"version":"3.8.20","old":true}"#, ["Python 3.8.20", "3.9 or later"]);
    check(r#"{"version":"3.12.1","old":false}"#, ["does not have the package", "mends that"]);
    let other = r#"{"version":"3.12.1","old":false,"package":{"version":"99.0.1","file":"/x"}}"#;
    check(other, ["has version 99.0.1", concat!("this program ", env!("CARGO_PKG_VERSION"))]);
    check("GNU sh", ["is no Python", "GNU sh"]);
    let none = run(&sandbox, &["foo", "python_binary = /none"]);
    none.code(1).says(["there is no program `/none`", "python_binary"]);
}

#[test]
fn the_active_environment_comes_before_the_path() {
    let sandbox = with_files(&[("foo.py", PASSES)]);
    let bin = sandbox.root.join("env/bin");
    std::fs::create_dir_all(&bin).expect("made");
    let script = bin.join("python3");
    let told = sandbox.root.join("called");
    write_executable(&script, format!("#!/bin/sh\necho x >> {told}\nexec /bin/false\n"));
    let mut command = sandbox.command(["run", "--subtests", ".", "vms =", "foo"]);
    command.env("VIRTUAL_ENV", sandbox.root.join("env"));
    let ended = kvmtest_tests::Running::start(&mut command).end();
    ended.code(1).says(["env/bin/python3 is no Python that works"]);
    assert!(told.is_file());
}

#[test]
fn a_file_called_like_a_module_of_pythons_own_hurts_nobody() {
    let sandbox = with_files(&[("foo.py", PASSES), ("json.py", "x = 1\n")]);
    run(&sandbox, &["foo"]).code(0).says(["PASS   foo"]);
}
