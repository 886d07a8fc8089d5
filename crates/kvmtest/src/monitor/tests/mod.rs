//! What tests speak to: a QEMU that follows a script, and the real one.

pub(crate) mod machine;
pub(crate) mod scripted;
