//! What the whole command line is for what params, with a QEMU and without one.

mod bed;
mod cases;
mod documented;
mod faults;
mod fingerprints;
mod injection;
mod overlays;
mod qemu;
mod real;
mod rules;
mod snapshots;
