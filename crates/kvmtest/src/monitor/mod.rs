//! QEMU's monitors: the machine protocol (QMP), and the human monitor through it.

mod connection;
mod event;
mod human;
mod qmp;
mod transcript;

pub use event::Event;
pub use human::HumanMonitor;
pub use qmp::{Activity, QmpMonitor};
