//! Watching machines, and why tests fail: with puppets in the place of machines, whose strings the
//! test holds.

#[path = "../bench/mod.rs"]
mod bench;
mod causes;
mod faults;
mod puppet;
mod runs;
mod signs;
mod visits;
