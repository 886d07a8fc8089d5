//! Guests: the ones that kvmtest builds itself, and what is known about guest operating systems.
//!
//! A built guest is a kernel, an initrd and a data disk in the cache, made from the packages of
//! the host's distribution by a recipe that is part of this program.

mod build;
mod built;
mod clock;
mod hardware;
mod manifest;
pub mod os;
pub mod progress;
mod recipe;
mod refresh;
pub mod sign;
mod store;

pub use built::Guest;
pub use clock::Clock;
pub use os::Os;
pub use refresh::Refresh;
pub use store::{GuestState, GuestStatus, GuestStore, Known};
