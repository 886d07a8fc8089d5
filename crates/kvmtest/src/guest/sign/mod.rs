//! Signs of trouble: what a console or a monitor shows when something is wrong with a machine.
//!
//! One table, for whoever waits for a guest (and then need not wait any longer) and for whoever
//! watches it while a test runs.

mod action;
mod scanner;
mod signs;
mod table;

pub use action::{Action, action};
pub use scanner::{Scanner, readable};
pub use signs::{Entry, Signs};
pub use table::{SIGNS, Sign, Source};

#[cfg(test)]
mod tests;
