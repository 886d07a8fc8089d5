//! States: booted guests that lie in the cache, each made once and started from as often as wanted.
//!
//! The store knows files, not QEMU: whoever asks for a state brings what makes it.

mod contents;
mod digest;
mod draft;
mod entry;
mod eviction;
mod facts;
mod found;
mod input;
mod look;
mod manifest;
mod origin;
mod recipe;
mod step;
mod store;
#[cfg(test)]
mod tests;

pub use draft::Draft;
pub use entry::{Condition, Entry};
pub use facts::Facts;
pub use found::{Found, State};
pub use input::digest_of;
pub use origin::Origin;
pub use recipe::Recipe;
pub use step::{BOOTED, NoSubtests, Plan, Step, Subtests, plans};
pub use store::{LIMIT, Store};
