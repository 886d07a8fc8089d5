//! QEMU's monitors: the machine protocol (QMP), and the human monitor through it.

mod connection;
mod event;
mod human;
mod qmp;
#[cfg(test)]
pub(crate) mod tests;
mod transcript;

pub use event::Event;
pub use human::HumanMonitor;
pub use qmp::{Activity, QmpMonitor};
