//! What is to be run: from the command line and the configuration to a list of tests.

mod config;
mod files;
mod known;
mod lint;
mod outside;
mod select;
mod test;
mod tests;
mod view;
mod what;

pub use config::Unreadable;
pub use files::{MAIN, Shipped};
pub use known::{Known, KnownSubtest};
pub use lint::lint;
pub use outside::add_crate;
pub use select::{Choice, Refusal, Selection, select};
pub use test::PlannedTest;
pub use tests::{Plan, plan};
pub use view::{Row, Shown, list, show};
pub use what::Wanted;
