//! Runs from outside: children that keep the protocol, and all the ways in which they may not.

#[path = "../bench/mod.rs"]
mod bench;
mod children;
mod deadlines;
mod known;
mod parallel;
mod retries;
mod rust;
mod stages;
