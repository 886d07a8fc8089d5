//! The whole `main` of an outside crate of subtests.

use std::io::Write;
use std::process::ExitCode;

use kvmtest::Subtest;
use serde::{Deserialize, Serialize};

use crate::child::serve;
use crate::exit_code;

/// The version of what `--list` prints.
pub(crate) const LIST_VERSION: u32 = 1;

/// A line of what `--list` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) doc: String,
}

/// Serves as a child when called with `child`, and answers `--list` with a JSON line for each
/// subtest of `table`: the two things that `kvmtest run --subtests DIR` asks of a crate.
pub fn subtests_main(table: &[Subtest]) -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    match args.as_slice() {
        [word] if word == "child" => serve::serve(table),
        [word] if word == "--list" => list(table, std::io::stdout().lock()),
        _ => {
            let _ = writeln!(
                std::io::stderr(),
                "this program holds subtests; `kvmtest run --subtests DIR`, with the folder of its \
                 crate, runs them"
            );
            ExitCode::from(exit_code::USAGE)
        }
    }
}

fn list(table: &[Subtest], mut out: impl Write) -> ExitCode {
    for subtest in table {
        let line = Listed {
            version: LIST_VERSION,
            name: subtest.name.to_owned(),
            file: subtest.file.to_owned(),
            doc: subtest.doc.to_owned(),
        };
        let written = serde_json::to_string(&line)
            .map_err(std::io::Error::other)
            .and_then(|line| writeln!(out, "{line}"));
        if written.is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
