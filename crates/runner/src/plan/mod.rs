//! What is to be run.

mod test;

pub use test::PlannedTest;
