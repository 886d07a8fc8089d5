//! The program `kvmtest`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kvmtest_cli::main()
}
