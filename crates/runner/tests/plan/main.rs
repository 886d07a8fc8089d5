//! From the command line and configurations to the tests of a run.

mod arranging;
mod choosing;
mod files;
mod matrix;
mod offers;
mod outside;
mod planning;
mod real;
