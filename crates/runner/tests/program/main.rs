//! The command `run` as a program of its own: exit codes, results on the disk, signals.

mod ends;
mod program;
mod results;
