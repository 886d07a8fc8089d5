//! What a subtest touches: virtual machines, their monitors, consoles and sessions, the test's
//! parameters and the environment that keeps machines alive from one test to the next.
//!
//! This library never prints, never exits, has no async runtime and knows no subtest by name.
//! Every wait in it has a deadline, and wakes on an event.

mod bell;
pub mod deadline;
pub mod directories;
pub mod error;
pub mod host;
pub mod guest;
pub mod interrupt;
pub mod monitor;
pub mod params;
pub mod prelude;
pub mod qemu;
pub mod test;
pub mod vm;
pub mod wait;

pub use deadline::Deadline;
pub use error::{Context, Error, ErrorKind, Result};
pub use params::Params;
pub use test::Test;
