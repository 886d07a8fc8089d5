//! The command `run` as a program of its own: exit codes, results on the disk, signals.

mod ends;
mod many;
mod program;
mod results;
