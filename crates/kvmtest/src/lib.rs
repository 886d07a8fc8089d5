//! What a subtest touches: virtual machines, their monitors, consoles and sessions, the test's
//! parameters and the environment that keeps machines alive from one test to the next.
//!
//! This library never prints, never exits, has no async runtime and knows no subtest by name.
//! Every wait in it has a deadline, and wakes on an event.

mod bell;
pub mod changes;
pub mod deadline;
pub mod directories;
mod document;
pub mod doing;
pub mod env;
pub mod error;
pub mod guest;
mod hexadecimal;
pub mod host;
pub mod interrupt;
pub mod lease;
mod lock;
pub mod migration;
pub mod monitor;
pub mod params;
pub mod perturb;
pub mod prelude;
pub mod qemu;
pub mod screen;
pub mod session;
pub mod stall;
pub mod state;
pub mod storage;
pub mod subtest;
pub mod test;
pub mod test_utils;
pub mod vm;
pub mod wait;

pub use deadline::Deadline;
pub use env::Env;
pub use error::{Context, Error, ErrorKind, Result};
pub use params::Params;
pub use subtest::Subtest;
pub use test::Test;
pub use vm::Vm;
