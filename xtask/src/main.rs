//! `cargo xtask CHORE`: repository chores.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::{ci, codegen, suite, tidy};

const HELP: &str = "\
usage: cargo xtask CHORE

chores:
  tidy      check the house rules that no compiler knows; `cargo test -p xtask` does, too
  codegen   write the generated parts of the book anew
  test      every test in Rust, some programs of tests at once; `make test` does, too
  ci        the format, the lints, the house rules, then every test, until one fails
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["tidy"] => tidy::report(&root()),
        ["codegen"] => codegen::write(&root()),
        ["test"] => suite::run(&root()),
        ["ci"] => ci::run(&root()),
        [] | ["help" | "--help" | "-h"] => {
            say(HELP);
            Ok(())
        }
        _ => Err(format!("unknown chore: `{}`\n\n{HELP}", arguments.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this package is in a directory of the root").to_owned()
}

#[expect(clippy::print_stdout, reason = "the program's output")]
fn say(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "the program's complaint")]
fn complain(text: &str) {
    eprintln!("{}", text.trim_end());
}
