//! What is to be run: from the command line and the configuration to a list of tests.

mod config;
mod explain;
mod files;
mod filter;
mod json;
mod known;
mod lint;
mod not_included;
mod offers;
mod outside;
mod select;
mod selection;
mod test;
mod tests;
mod view;
mod what;

pub use config::Unreadable;
pub use explain::{Explained, explain, unexplained};
pub use files::{MAIN, Shipped};
pub use json::json_line;
pub use known::{Known, KnownSubtest};
pub use lint::lint;
pub use offers::{Offer, Offers};
pub use outside::add_crate;
pub use select::{Choice, Refusal, select};
pub use selection::Selection;
pub use test::PlannedTest;
pub use tests::{Plan, plan};
pub use view::{Row, Shown, list, show};
pub use what::Wanted;
