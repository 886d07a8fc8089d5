//! Virtual machines: what they are made of, how they start, live and end.

pub mod command;
