//! What is done around a test: commands, images, screens, profilers, and what is left in the end.

mod commands;
mod guest;
mod images;
mod leftovers;
mod screens;

use camino::Utf8PathBuf;
use kvmtest_tests::{Ended, Sandbox};

/// Statements that make the test of [`failing`] fail soon.
const FAILS: &str = "login_timeout = 2";

/// Runs `boot` on a guest that obeys.
fn passing(sandbox: &Sandbox, what: &[&str]) -> Ended {
    let what: Vec<&str> = ["boot"].into_iter().chain(what.iter().copied()).collect();
    sandbox.fake("obeys", &what)
}

/// Runs `boot` on a guest that says nothing, which fails.
fn failing(sandbox: &Sandbox, what: &[&str]) -> Ended {
    let what: Vec<&str> = ["boot", FAILS].into_iter().chain(what.iter().copied()).collect();
    let ended = sandbox.fake("silent", &what);
    ended.code(1);
    ended
}

/// The only test's outcome.
#[track_caller]
fn outcome(sandbox: &Sandbox) -> String {
    sandbox.result()["finished"]["outcome"].as_str().expect("a word").to_owned()
}

/// The only test's warnings, a line each.
#[track_caller]
fn warnings(sandbox: &Sandbox) -> String {
    let result = sandbox.result();
    let lines = result["warnings"].as_array().expect("a list").iter();
    lines.filter_map(|line| line.as_str()).collect::<Vec<_>>().join("\n")
}

/// A file or a directory of the only test.
fn kept(sandbox: &Sandbox, name: &str) -> Utf8PathBuf {
    sandbox.latest().join("001-boot").join(name)
}
