//! Where subtests are looked for.

use super::{run, with_files};

const PASSES: &str = "'''Does nothing.'''\n\ndef run_foo(test, params, env):\n    pass\n";

#[test]
fn a_file_in_the_folder_is_listed_without_a_python() {
    let sandbox = with_files(&[("foo.py", PASSES)]);
    let mut command = sandbox.command(["list", "--subtests", ".", "foo"]);
    command.env("PATH", "/nowhere");
    kvmtest_tests::Running::start(&mut command).end().code(0).says(["foo", "Does nothing"]);
    let shown = sandbox.kvmtest(["show", "--subtests", ".", "foo"]);
    shown.code(0).says(["./foo.py"]);
}

#[test]
fn a_file_without_its_function_is_told_when_it_is_asked_for() {
    let sandbox = with_files(&[
        ("other.py", "def run_another(test, params, env): pass\n"),
        ("tools.py", "x = 1\n"),
        ("my-test.py", "def run_my_test(test, params, env): pass\n"),
    ]);
    let ended = run(&sandbox, &["other"]);
    ended.code(4).says(["other.py has no function `run_other`, but `run_another`"]);
    run(&sandbox, &["tools"]).code(4).says(["tools.py has no function `run_tools(test, params"]);
    run(&sandbox, &["my-test"]).code(4).says(["my-test", "call the file my_test.py"]);
    let named = run(&sandbox, &["boot", "type = other"]);
    named.code(1).says(["there is no subtest `other`", "but `run_another`"]);
}

#[test]
fn a_folder_without_subtests_is_refused() {
    let sandbox = with_files(&[]);
    run(&sandbox, &["foo"]).code(3).says([". holds no subtests", "foo.py", "kvmtest new DIR"]);
    let none = sandbox.kvmtest(["run", "--subtests", "none", "foo"]);
    none.code(3).says(["no subtests in `none`", "there is no such folder"]);
}

#[test]
fn two_of_one_name_are_refused_with_both_files() {
    let text = "def run_boot(test, params, env): pass\n";
    let sandbox = with_files(&[("boot.py", text)]);
    run(&sandbox, &["boot"]).code(3).says(["called `boot`", "boot.rs", "./boot.py"]);
    std::fs::remove_file(sandbox.work.join("boot.py")).expect("removed");
    std::fs::write(sandbox.work.join("foo.py"), PASSES).expect("written");
    let twice = ["run", "--subtests", ".", "--subtests", "../work", "vms =", "foo"];
    sandbox.kvmtest(twice).code(0).says(["1 passed"]);
    for folder in ["one", "two"] {
        std::fs::create_dir(sandbox.work.join(folder)).expect("made");
        std::fs::write(sandbox.work.join(folder).join("foo.py"), PASSES).expect("written");
    }
    let args = ["run", "--subtests", "one", "--subtests", "two", "foo"];
    sandbox.kvmtest(args).code(3).says(["called `foo`", "one/foo.py", "two/foo.py"]);
}

#[test]
fn a_configuration_names_folders_beside_itself() {
    let sandbox = with_files(&[(
        "mine.cfg",
        "variants:\n    - one:\n        type = foo\n        vms =\n        subtest_dirs = tests\n",
    )]);
    let folder = sandbox.work.join("tests");
    std::fs::create_dir(&folder).expect("made");
    std::fs::write(folder.join("foo.py"), PASSES).expect("written");
    let elsewhere = sandbox.root.join("home");
    let mut command = sandbox.command(["run", "--config", "../work/mine.cfg"]);
    command.current_dir(&elsewhere);
    kvmtest_tests::Running::start(&mut command).end().code(0).says(["PASS   one"]);
    let listed = sandbox.kvmtest(["list", "--config", "mine.cfg"]);
    listed.code(0).says(["one", "Does nothing"]);
    std::fs::remove_file(folder.join("foo.py")).expect("removed");
    std::fs::write(folder.join("bar.py"), "def run_bar(t, p, e): pass").expect("written");
    let gone = sandbox.kvmtest(["run", "--config", "mine.cfg"]);
    gone.code(1).says(["there is no subtest `foo`", "mine.cfg:3"]);
}
