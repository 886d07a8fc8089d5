//! What the outside tests share: a place of its own for each test, the program, a fake QEMU.
//!
//! Nothing here knows the program from inside: it is run, and looked at.

mod browser;
mod ended;
mod executable;
mod notes;
mod process;
mod program;
mod running;
mod sandbox;
mod terminal;

pub use browser::{Browser, address};
pub use ended::Ended;
pub use executable::write_executable;
pub use notes::Notes;
pub use process::Process;
pub use program::{fake_qemu, program, python_package, tree};
pub use running::Running;
pub use sandbox::{GuestsMissing, Sandbox};
pub use terminal::Terminal;

/// Says why a test, or a part of it, is not run here.
#[expect(clippy::print_stdout, reason = "the test harness shows what a test prints")]
pub fn skip(why: &str) {
    println!("skipped: {why}");
}

/// How long anything may take before a test gives up on it: far longer than it ever does.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);
