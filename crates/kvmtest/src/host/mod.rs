//! The host: the identity of its processes, and what it can do for virtual machines.

pub mod accel;
mod boot;
pub mod kvm;
pub(crate) mod memo;
mod process;
pub mod program;

pub use boot::boot_id;
pub use process::ProcessId;
