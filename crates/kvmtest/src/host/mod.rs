//! The host: the identity of its processes, and what it can do for virtual machines.

pub mod accel;
mod boot;
mod command;
mod finding;
mod findings;
pub mod kvm;
pub(crate) mod memo;
mod process;
pub mod program;
mod resources;

pub use boot::boot_id;
pub use command::{Ended, HostCommand, Left, Running};
pub use finding::{Finding, Status};
pub use findings::findings;
pub use process::ProcessId;
pub use resources::available_memory;
