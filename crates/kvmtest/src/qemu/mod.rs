//! A QEMU binary: found, asked once what it can do, remembered until it changes.

mod answers;
mod ask;
mod binary;
mod cache;
mod capabilities;
mod conversation;
mod help;
mod identity;
mod version;

pub use binary::Binary;
pub use capabilities::{Capabilities, Machine};
pub use version::Version;
