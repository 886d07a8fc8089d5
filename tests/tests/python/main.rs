//! Subtests in Python, run by the program from outside.

mod faults;
mod folders;
mod guest;
mod interpreters;
mod verdicts;

use kvmtest_tests::{Ended, Sandbox, python_package};
use serde_json::Value;

/// A sandbox in whose working directory `files` lie.
fn with_files(files: &[(&str, &str)]) -> Sandbox {
    python_package();
    let sandbox = Sandbox::new();
    for (name, text) in files {
        std::fs::write(sandbox.work.join(name), text).expect("written");
    }
    sandbox
}

/// Runs the subtest `foo`, which has no machine, and whose function has this `body`.
fn run_body(body: &str) -> (Sandbox, Ended) {
    run_text(&format!("import kvmtest\n\n{}", function(body)))
}

/// Runs the subtest `foo`, which has no machine, and whose file has this `text`.
fn run_text(text: &str) -> (Sandbox, Ended) {
    let sandbox = with_files(&[("foo.py", text)]);
    let ended = run(&sandbox, &["foo"]);
    (sandbox, ended)
}

/// `kvmtest run --subtests . WHAT…` without machines.
fn run(sandbox: &Sandbox, what: &[&str]) -> Ended {
    let args = ["run", "--subtests", ".", "vms ="];
    sandbox.kvmtest(args.into_iter().chain(what.iter().copied()))
}

/// The function of the subtest `foo` with this `body`.
fn function(body: &str) -> String {
    format!("def run_foo(test, params, env):\n    {}\n", body.replace('\n', "\n    "))
}

/// How the only test of the last run ended.
fn finished(sandbox: &Sandbox) -> Value {
    sandbox.result()["finished"].clone()
}
