//! The host: the identity of its processes, and what it can do for virtual machines.

mod boot;
mod process;

pub use boot::boot_id;
pub use process::ProcessId;
