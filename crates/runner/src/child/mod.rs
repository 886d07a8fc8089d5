//! The child protocol: how a test runs in a process of its own, written in whatever language.
//!
//! The child gets one JSON document ([`protocol::Request`]) on standard input, says what happens
//! by JSON lines ([`protocol::ChildEvent`]) on descriptor 3, and ends with the exit code of its
//! outcome ([`crate::exit_code::of_child`]). Whatever it does instead is an honest ERROR.

pub mod protocol;
pub mod serve;
pub mod spawn;
pub mod verdict;

mod capture;
mod ending;
mod leftover;
mod line;
mod lines;
mod memory;
mod panic;
mod program;
pub(crate) mod trace;

pub use ending::{Breach, Ending};
pub use leftover::Leftover;
pub use program::Program;
