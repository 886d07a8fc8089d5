//! What is to be run.

mod known;
mod nearest;
mod outside;
mod test;
mod what;

pub use known::{Known, KnownSubtest};
pub use nearest::nearest;
pub use outside::add_crate;
pub use test::PlannedTest;
pub use what::Wanted;
